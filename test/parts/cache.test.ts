// The cache of parts: an entry is made once, whole or not at all, by one process at a time; what a dead process left is
// cleared away.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { withLock } from '../../cli/build/lock.mjs';
import { cacheRoot, cached, type CacheEntry } from '../../examples/parts/cache.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'writ-cache-test-'));
});

describe('the folder of the cache', () => {
  test.each([
    [{ WRIT_CACHE: '/a', XDG_CACHE_HOME: '/b' }, '/a'],
    [{ XDG_CACHE_HOME: '/b' }, '/b/writ'],
    [{ WRIT_CACHE: '', XDG_CACHE_HOME: '/b' }, '/b/writ'],
  ])('of %j is %s', (env, expected) => {
    expect(cacheRoot(env)).toBe(expected);
  });

  test('is in the home folder otherwise', () => {
    expect(cacheRoot({})).toMatch(/\/\.cache\/writ$/);
  });
});

describe('an entry', () => {
  test('is made once, with a line before and after', async () => {
    const lines: string[] = [];
    const made = { ...entry(), label: 'A 1.0', hint: 'slow' };
    const options = { root, report: (line: string) => void lines.push(line) };
    const first = await cached(made, options);
    expect(await cached({ ...made, make: fails }, options)).toBe(first);
    expect(readFileSync(join(first, 'content'), 'utf8')).toBe('whole');
    expect(lines).toEqual([
      'installing A 1.0 (slow) …',
      expect.stringMatching(/^installing A 1\.0: done in \d+\.\d s$/),
    ]);
  });

  test('that fails leaves nothing, and is tried again', async () => {
    await expect(cached({ ...entry(), make: fails }, quiet())).rejects.toThrow('no network');
    expect(readdirSync(root)).toEqual([]);
    expect(existsSync(await cached(entry(), quiet()))).toBe(true);
  });

  test('clears the draft of a process that died', async () => {
    mkdirSync(join(root, 'a-1.draft-999999'));
    await cached(entry(), quiet());
    expect(readdirSync(root)).toEqual(['a-1']);
  });

  test('that has broken is made again', async () => {
    const folder = await cached(entry(), quiet());
    writeFileSync(join(folder, 'content'), 'broken');
    const works = (path: string): boolean => readFileSync(join(path, 'content'), 'utf8') === 'whole';
    await cached({ ...entry(), works }, quiet());
    expect(works(folder)).toBe(true);
  });

  test('is made by one of several callers at once', async () => {
    let making = 0;
    const slow = {
      ...entry(),
      make: async (folder: string) => {
        making += 1;
        await entry().make(folder);
      },
    };
    await Promise.all([cached(slow, quiet()), cached(slow, quiet()), cached(slow, quiet())]);
    expect(making).toBe(1);
  });
});

describe('the lock', () => {
  test('is free after an action that threw', async () => {
    const path = join(root, 'lock');
    await expect(withLock(path, fails)).rejects.toThrow('no network');
    expect(await withLock(path, async () => 'entered')).toBe('entered');
    expect(readdirSync(root)).toEqual([]);
  });

  test('keeps processes apart', async () => {
    const journal = join(root, 'journal');
    const script = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout } from 'node:timers/promises';
      import { withLock } from ${JSON.stringify(lockModule)};
      for (let round = 0; round < 3; round += 1) {
        await withLock(${JSON.stringify(join(root, 'lock'))}, async () => {
          appendFileSync(${JSON.stringify(journal)}, 'enter\\n');
          await setTimeout(20);
          appendFileSync(${JSON.stringify(journal)}, 'leave\\n');
        });
      }`;
    const codes = await Promise.all([1, 2, 3].map(() => runModule(script)));
    expect(codes).toEqual([0, 0, 0]);
    expect(readFileSync(journal, 'utf8')).toBe('enter\nleave\n'.repeat(9));
  });

  test('of a living process is waited for, and said once', async () => {
    const path = join(root, 'lock');
    const waits: number[] = [];
    let release = (): void => undefined;
    const first = withLock(
      path,
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const second = withLock(path, async () => 'second', { onWait: (pid) => void waits.push(pid) });
    await expect(withLock(path, async () => undefined, { waitMsMax: 300 })).rejects.toThrow(
      `process ${process.pid} has held`,
    );
    release();
    await first;
    expect(await second).toBe('second');
    expect(waits).toEqual([process.pid]);
  });

  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  test.each([
    ['a process that is gone', JSON.stringify({ pid: dead, startTime: '1', id: 'x' })],
    ['an earlier process with our id', JSON.stringify({ pid: process.pid, startTime: '1', id: 'x' })],
    ['nobody: an empty file', ''],
    ['nobody: a file of something else', '{"pid":"none"}'],
  ])('held by %s is broken', async (_, text) => {
    const path = join(root, 'lock');
    writeFileSync(path, text);
    expect(await withLock(path, async () => 'entered', { waitMsMax: 2_000 })).toBe('entered');
    expect(readdirSync(root)).toEqual([]);
  });

  test('is broken even where the breaker before us died', async () => {
    const path = join(root, 'lock');
    writeFileSync(path, '');
    mkdirSync(`${path}.breaking`);
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(`${path}.breaking`, longAgo, longAgo);
    expect(await withLock(path, async () => 'entered', { waitMsMax: 2_000 })).toBe('entered');
  });
});

const lockModule = fileURLToPath(new URL('../../cli/build/lock.mjs', import.meta.url));

function entry(): CacheEntry {
  return {
    key: 'a-1',
    label: 'A',
    make: async (folder) => writeFileSync(join(folder, 'content'), 'whole'),
  };
}

function quiet(): { root: string; report: () => void } {
  return { root, report: () => undefined };
}

async function fails(): Promise<never> {
  throw new Error('no network');
}

function runModule(source: string): Promise<number | null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve));
}
