// Walks the tutorial as it is written: files are saved as it says, commands are run as it shows them, and what it shows
// is what is answered. `…` on the page stands for what is different each time.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writ } from '../cli/run-writ.ts';

const PAGE = readFileSync(new URL('../../examples/book/chapters/tutorial.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'writ-tutorial-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Step =
  | { readonly kind: 'save'; readonly path: string; readonly text: string }
  | { readonly kind: 'run'; readonly command: string; readonly answer: string };

/** Files and commands in the order of the page. A file is named in the paragraph before it. */
function stepsOf(page: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [, before, kind, text] of page.matchAll(/((?:.+\n)*)\n```(writ|console).*\n([^]*?)^```$/gm)) {
    if (kind === 'writ') {
      const path = [...before!.matchAll(/`(my-policy\/[\w.-]+)`/g)].at(-1)?.[1];
      if (path === undefined) throw new Error(`no file is named before:\n${text}`);
      steps.push({ kind: 'save', path, text: text! });
    } else {
      for (const part of text!.split(/^\$ /m).slice(1)) {
        const [command, ...answer] = part.split('\n');
        steps.push({ kind: 'run', command: command!, answer: answer.join('\n').trimEnd() });
      }
    }
  }
  return steps;
}

async function run(command: string): Promise<string> {
  const [program, ...args] = command.split(' ');
  if (program === 'mkdir') {
    mkdirSync(join(folder, args[0]!));
    return '';
  }
  if (program === 'diff') return spawnSync('diff', args, { cwd: folder, encoding: 'utf8' }).stdout.trimEnd();
  expect([program, args.shift()]).toEqual(['npx', 'writ']);
  const into = args.indexOf('>');
  const { out, err } = await writ(into === -1 ? args : args.slice(0, into), { cwd: folder });
  if (into === -1) return `${out}${err}`.trimEnd();
  writeFileSync(join(folder, args[into + 1]!), out);
  return err.trimEnd();
}

/** The page's words, with `…` for any characters of a line. */
function matching(answer: string): RegExp {
  const escaped = answer.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^\\n]+');
  return new RegExp(`^${escaped}$`);
}

const STEPS = stepsOf(PAGE);

test('the page has files to save and commands to run', () => {
  expect(STEPS.filter(({ kind }) => kind === 'save').length).toBeGreaterThanOrEqual(6);
  const commands = STEPS.flatMap((step) =>
    step.kind === 'run' ? [step.command.split(' ').slice(0, 3).join(' ')] : [],
  );
  for (const command of ['npx writ check', 'npx writ test', 'npx writ build']) expect(commands).toContain(command);
  expect(commands.some((command) => command.startsWith('diff '))).toBe(true);
});

test('it is as it says, from the empty folder to the difference of two reports', { timeout: 60_000 }, async () => {
  for (const step of STEPS) {
    if (step.kind === 'save') writeFileSync(join(folder, step.path), step.text);
    else expect(await run(step.command), step.command).toMatch(matching(step.answer));
  }
});
