// What the guides name is there: messages stand in the sources, metrics in the table of metrics, commands and options in
// the help that they print.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { writ } from '../cli/run-writ.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHAPTERS = join(ROOT, 'examples/book/chapters');
const GUIDES = readdirSync(CHAPTERS).map((name) => readFileSync(join(CHAPTERS, name), 'utf8'));
const PLATFORM = readFileSync(join(CHAPTERS, 'platform.md'), 'utf8');

function sources(): string {
  return ['filters', 'compiler', 'control-plane', 'cli']
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(ROOT, folder, name)),
    )
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

test('the messages by which troubles are told are those of the program', () => {
  const table = PLATFORM.slice(PLATFORM.indexOf('## Troubleshooting'), PLATFORM.indexOf('## Backups'));
  const quoted = [...table.matchAll(/"([^"]+)"/g)].map((each) => each[1]!);
  expect(quoted.length).toBeGreaterThan(6);
  const all = sources();
  // The section of the report is held by the goldens, which print it.
  for (const message of quoted) expect(all.includes(message), message).toBe(true);
});

test('the metrics are those of the table of metrics', () => {
  const known = readFileSync(join(ROOT, 'control-plane/README.md'), 'utf8');
  const named = [...PLATFORM.matchAll(/writ_[a-z_]+/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(6);
  for (const name of named) expect(known).toContain(`\`${name}\``);
});

test('every command is there, with every option that is named beside it', async () => {
  const commands = GUIDES.flatMap((text) => [...text.matchAll(/npx writ ([a-z][a-z-]*)([^\n`]*)/g)]);
  expect(commands.length).toBeGreaterThan(12);
  for (const [line, name, rest] of commands) {
    const { code, out } = await writ([name!, '--help']);
    expect(code, line).toBe(0);
    for (const [option] of rest!.matchAll(/--[a-z-]+/g)) expect(out, line).toContain(option);
  }
});
