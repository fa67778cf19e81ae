// Finite commands: what they print, how they end, that a time limit ends them.
import { expect, test } from 'vitest';
import { lastLines, runCommand, runInstallCommand } from '../../examples/parts/command.ts';

const node = process.execPath;

test('gives input, and keeps output and exit code', async () => {
  const script = `process.stdin.on('data', (data) => console.log(String(data).toUpperCase())); console.error('e'); process.exitCode = 3`;
  expect(await runCommand('fake', node, ['-e', script], { stdin: 'hello' })).toEqual({
    code: 3,
    stdout: 'HELLO\n',
    stderr: 'e\n',
  });
});

test('does not fail for input that is not read', async () => {
  const { code } = await runCommand('fake', node, ['-e', ''], { stdin: 'x'.repeat(1_000_000) });
  expect(code).toBe(0);
});

test('ends a command at its time limit', async () => {
  const { code } = await runCommand('fake', node, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 });
  expect(code).toBe(-1);
});

test('says which command cannot be run', async () => {
  await expect(runCommand('fake', '/nonexistent', [])).rejects.toMatchObject({
    code: 'command_failed',
    message: 'fake: `/nonexistent` cannot be run',
  });
});

test('an installation that fails says the end of what was printed', async () => {
  const script = `for (let line = 1; line <= 21; line += 1) console.log('line ' + line); process.exitCode = 1`;
  const failure = runInstallCommand('fake', node, ['-e', script]);
  await expect(failure).rejects.toMatchObject({
    code: 'install_failed',
    message: expect.stringMatching(/ended with code 1\nline 2\n[^]*line 21$/) as unknown,
  });
});

test('the last lines of a text', () => {
  expect(lastLines('a\nb\nc\n', 2)).toBe('b\nc');
});
