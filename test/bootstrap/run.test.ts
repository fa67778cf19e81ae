// Handing over to a child process: its exit code, its signals, its output when it is quiet.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const runModule = fileURLToPath(new URL('../../cli/build/run.mjs', import.meta.url));

test.each([
  ['an exit code', 'process.exitCode = 7', 7],
  ['a signal as 128 and its number', 'process.kill(process.pid, "SIGKILL")', 137],
])('hands on %s', async (_, child, code) => {
  const parent = start(child, {});
  expect(await once(parent, 'exit')).toEqual([code, null]);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
  'hands on %s, and waits for the child to clean up',
  async (signal) => {
    const child = `
    process.once('${signal}', () => setTimeout(() => { console.log('cleaned up'); process.exit(5); }, 50));
    setInterval(() => {}, 1000);
    console.log('up');`;
    const parent = start(child, {});
    const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('up');
    const ended = once(parent, 'exit');
    parent.kill(signal);
    expect((await lines.next()).value).toBe('cleaned up');
    expect(await ended).toEqual([5, null]);
  },
);

test.each([
  ['keeps back what a quiet child printed', 'console.log("noise")', ''],
  [
    'shows what a quiet child printed when it failed',
    'console.log("out"); console.error("err"); process.exitCode = 1',
    'out\nerr\n',
  ],
])('%s', async (_, child, expected) => {
  const parent = start(child, { quiet: true });
  let stderr = '';
  parent.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(parent, 'close');
  expect(stderr.split('\n').sort()).toEqual(expected.split('\n').sort());
});

function start(child: string, options: object) {
  const source = `
    import { run } from ${JSON.stringify(runModule)};
    process.exitCode = await run(process.execPath, ['-e', ${JSON.stringify(child)}], ${JSON.stringify({ cwd: process.cwd(), ...options })});`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
}
