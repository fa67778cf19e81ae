// One process a folder of state: a second sidecar or control plane on it is refused, and what a killed one left is
// taken over.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writ } from './run-writ.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const STARTS_MS_MAX = 60_000;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-one-'));
  await writ(['keys', 'init', 'keys', '--node', 'n1'], { cwd: folder });
});
afterEach(async () => {
  for (const child of children.splice(0)) await killed(child);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process of its own, once it has printed that it runs. */
async function running(args: readonly string[], says: RegExp): Promise<ChildProcess> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it does not start: ${said}`)), STARTS_MS_MAX);
    const hear = (data: Buffer): void => {
      said += data.toString();
      if (!says.test(said)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`it ended: ${said}`));
    });
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const commands = [
  {
    kind: 'sidecar',
    args: ['sidecar', '--policy', 'acme', '--name', 'n1', '--state', 's', '--admin-port', '0', '--keys', 'keys'],
    more: ['--control-plane', '127.0.0.1:9'],
    says: /sidecar n1 of acme/,
    what: 'the state folder',
  },
  {
    kind: 'control plane',
    args: ['control-plane', '--listen', '127.0.0.1:0', '--metrics-port', '0', '--keys', 'keys', '--data', 'data'],
    more: [],
    says: /control plane on/,
    what: 'the folder',
  },
] as const;

describe.each(commands)('a second $kind on one folder', ({ kind, args, more, says, what }) => {
  test('is refused with the number of the first; after SIGKILL of that it starts', { timeout: 180_000 }, async () => {
    const first = await running([...args, ...more], says);
    const second = await writ([...args, ...more], { cwd: folder });
    expect(second).toMatchObject({ code: 2, out: '' });
    expect(second.err).toContain(`another ${kind} (process ${first.pid}) has ${what} \``);
    // What was refused has taken nothing from the first.
    const third = await writ([...args, ...more], { cwd: folder });
    expect(third.err).toBe(second.err);

    await killed(first);
    const next = await running([...args, ...more], says);
    next.kill('SIGTERM');
    expect(await once(next, 'exit')).toEqual([0, null]);
    const last = await running([...args, ...more], says);
    expect(last.exitCode).toBeNull();
  });
});
