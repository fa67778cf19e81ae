// What the README shows is what happens: its commands exist, its policy is the example's, its error message is printed
// to the letter.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writ } from './run-writ.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const ACME = join(ROOT, 'examples', 'acme');
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(README)?.[1] ?? '';

test('the declarations stand in the example policy', () => {
  const example = ['prompts', 'documents', 'spend']
    .map((name) => readFileSync(join(ACME, `${name}.writ`), 'utf8'))
    .join('\n');
  const declarations = block('writ').split(/\n\n/);
  expect(declarations).toHaveLength(3);
  for (const declaration of declarations)
    expect(example).toContain(declaration.trim().split('\n').slice(0, 4).join('\n'));
});

test('the mistake is answered as shown', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-readme-'));
  try {
    cpSync(ACME, folder, { recursive: true });
    const prompts = join(folder, 'prompts.writ');
    writeFileSync(
      prompts,
      readFileSync(prompts, 'utf8').replace('where caller.department is hr\n', 'where caller.departmnt is hr\n'),
    );
    const { code, err } = await writ(['check', folder]);
    expect(code).toBe(1);
    expect(README).toContain(err.trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every command that it names is there', async () => {
  const { out } = await writ(['--help']);
  const named = [...README.matchAll(/npx writ ([a-z][a-z-]*)/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test('the commands of its command line work as they stand, one after the other', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-readme-'));
  try {
    symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
    const commands = [...README.matchAll(/^npx writ ([^#\n]+)/gm)].map((match) => match[1]!.trim().split(/ +/));
    expect(commands.map(([name]) => name)).toEqual(['check', 'test', 'build', 'decide']);
    for (const command of commands) {
      const { code, out, err } = await writ(command, { cwd: folder });
      expect([command.join(' '), code, err]).toEqual([command.join(' '), 0, command[0] === 'build' ? err : '']);
      // The decision shows what the example is about.
      if (command[0] === 'decide')
        expect(JSON.parse(out)).toMatchObject({
          outcome: 'allow',
          model: 'frontier',
          fired: expect.arrayContaining(['mask_personal']),
        });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
