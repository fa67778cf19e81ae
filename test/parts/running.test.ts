// Child processes that serve: how a start fails, and that none outlives its parent, however that ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import * as chroma from '../../examples/parts/chroma.ts';
import * as envoy from '../../examples/parts/envoy.ts';
import * as llama from '../../examples/parts/llama.ts';
import { startRunning, type StartOptions } from '../../examples/parts/running.ts';
import { directResponse } from './direct-response.ts';
import { isGone } from './is-gone.ts';

describe('a start', () => {
  test('that ends early says the end of the log', async () => {
    await expect(startRunning(node(`console.log('port is taken'); process.exit(3)`))).rejects.toMatchObject({
      code: 'exited_early',
      message: 'fake: ended with code 3 before it was ready\nport is taken',
    });
  });

  test('that is not ready in time is killed and says the end of the log', async () => {
    const options = node(`console.log(process.pid); setInterval(() => {}, 1000)`);
    await expect(startRunning({ ...options, readyMsMax: 300 })).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(/^fake: was not ready in 0\.3 s\n\d+$/) as unknown,
    });
    expect(isGone(Number(logOf(options)))).toBe(true);
  });

  test('that never answers is not ready', async () => {
    const options = node(`setInterval(() => {}, 1000)`);
    const started = startRunning({ ...options, isReady: () => new Promise(() => undefined), readyMsMax: 100 });
    await expect(started).rejects.toMatchObject({ code: 'not_ready' });
  });

  test('of a command that is not there is an error', async () => {
    await expect(startRunning({ ...node(''), command: '/nonexistent/binary' })).rejects.toMatchObject({
      code: 'exited_early',
      message: 'fake: `/nonexistent/binary` cannot be run',
    });
  });
});

test('a process that ignores SIGTERM is killed', async () => {
  const script = `process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000)`;
  const options = node(script);
  const running = await startRunning({ ...options, isReady: async () => logOf(options).includes('up') });
  await running.stop();
  await running.stop();
  expect(await running.exited).toBeNull();
  expect(isGone(running.pid)).toBe(true);
  expect(existsSync(options.folder)).toBe(false);
});

describe('when the parent ends', () => {
  beforeAll(async () => {
    await Promise.all([envoy.install(), llama.install(), chroma.install()]);
  });

  const starts = {
    envoy: `start({ config: ${JSON.stringify(directResponse('x'))}, concurrency: 1 })`,
    llama: `start({ contextTokens: 256, threads: 1 })`,
    chroma: `start()`,
  };
  const endings = ['SIGKILL', 'an uncaught error'] as const;
  const cases = Object.entries(starts).flatMap(([part, start]) => endings.map((ending) => ({ part, start, ending })));

  test.each(cases)('by $ending, $part ends too', async ({ part, start, ending }) => {
    const source = `
      import { start } from ${JSON.stringify(fileURLToPath(new URL(`../../examples/parts/${part}.ts`, import.meta.url)))};
      const running = await ${start};
      console.log(running.pid);
      ${ending === 'an uncaught error' ? `throw new Error('uncaught');` : `setInterval(() => {}, 1000);`}`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(parent, 'exit');
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    if (ending === 'SIGKILL') parent.kill(ending);
    await ended;
    await goneWithin(Number(line), 5_000);
    expect(isGone(Number(line))).toBe(true);
  });
});

function node(script: string): StartOptions {
  return {
    part: 'fake',
    command: process.execPath,
    args: ['-e', script],
    folder: mkdtempSync(join(tmpdir(), 'writ-running-test-')),
    isReady: async () => false,
    readyMsMax: 10_000,
  };
}

function logOf({ folder }: StartOptions): string {
  return readFileSync(join(folder, 'fake.log'), 'utf8');
}

async function goneWithin(pid: number, msMax: number): Promise<void> {
  const deadline = Date.now() + msMax;
  while (!isGone(pid) && Date.now() < deadline) await sleep(20);
}
