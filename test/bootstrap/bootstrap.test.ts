// The bootstrap: when it installs, when it builds, how it counts, what `writ` hands on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { missingPackage } from '../../cli/build/dependencies.mjs';
import { build } from '../../cli/build/steps.mjs';
import { countTests } from '../../cli/build/test-run.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'writ-bootstrap-test-'));
});

describe('packages are installed', () => {
  const locked = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };

  test.each([
    ['when none are there', undefined, 'none are installed'],
    ['when one is missing', {}, 'a 1.0.0 is wanted, none is there'],
    ['when one has another version', { 'node_modules/a': { version: '0.9.0' } }, 'a 1.0.0 is wanted, 0.9.0 is there'],
    ['not for an optional one', { 'node_modules/a': { version: '1.0.0' } }, undefined],
  ])('%s', (_, installed, reason) => {
    write('package-lock.json', JSON.stringify({ packages: locked }));
    if (installed !== undefined) write('node_modules/.package-lock.json', JSON.stringify({ packages: installed }));
    expect(missingPackage(root)).toBe(reason);
  });
});

describe('a build step', () => {
  const step = {
    name: 'copy',
    what: 'copying',
    script: 'source/build.mjs',
    inputs: ['source', 'package-lock.json'],
    kinds: /\.(mjs|txt)$/,
    outputs: ['out/runs'],
  };
  const script = `
    import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
    if (readFileSync('source/in.txt', 'utf8') === 'bad') throw new Error('bad input');
    mkdirSync('out', { recursive: true });
    appendFileSync('out/runs', 'x');`;
  const buildOnce = (): Promise<void> => build(root, process.execPath, [step]);
  const runs = (): number => readFileSync(join(root, 'out/runs'), 'utf8').length;

  beforeEach(() => {
    write('package-lock.json', '{}');
    write('source/build.mjs', script);
    write('source/in.txt', 'one');
    write('source/notes.md', 'one');
  });

  test('runs once for the same inputs', async () => {
    await buildOnce();
    await buildOnce();
    expect(runs()).toBe(1);
  });

  test('runs again for a changed input, not for a file that is none', async () => {
    await buildOnce();
    write('source/notes.md', 'two');
    await buildOnce();
    expect(runs()).toBe(1);
    write('source/in.txt', 'two');
    await buildOnce();
    expect(runs()).toBe(2);
  });

  test('runs again for a lost output', async () => {
    await buildOnce();
    write('out/other', '');
    spawnSync('rm', [join(root, 'out/runs')]);
    await buildOnce();
    expect(runs()).toBe(1);
  });

  test('that fails is an error, and is tried again', async () => {
    await buildOnce();
    write('source/in.txt', 'bad');
    await expect(buildOnce()).rejects.toThrow('copying failed: source/build.mjs ended with exit code 1');
    write('source/in.txt', 'one');
    await buildOnce();
    expect(runs()).toBe(2);
  });

  test('that does not write its outputs is an error', async () => {
    write('source/build.mjs', '');
    await expect(buildOnce()).rejects.toThrow('copying failed: source/build.mjs did not write out/runs');
  });

  test('runs once for two builds at once', async () => {
    await Promise.all([buildOnce(), buildOnce()]);
    expect(runs()).toBe(1);
  });
});

describe('the counts', () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((each) => ({ status: each })),
  });

  test.each([
    [
      'of passed and failed tests',
      [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')],
      1,
      [],
      { passed: 3, failed: 1 },
    ],
    [
      'take a file that does not load for a failure',
      [file('failed'), file('passed', 'passed')],
      1,
      [],
      { passed: 1, failed: 1 },
    ],
    ['take a failed hook for a failure', [file('failed', 'passed')], 1, [], { passed: 1, failed: 1 }],
    ['take a skipped test for a failure', [file('passed', 'passed', 'skipped')], 0, [], { passed: 1, failed: 1 }],
    ['do not when names were chosen', [file('passed', 'passed', 'skipped')], 0, ['-t', 'x'], { passed: 1, failed: 0 }],
    ['take an error outside of a test for a failure', [file('passed', 'passed')], 1, [], { passed: 1, failed: 1 }],
    ['take a run without tests for a failure', [], 0, [], { passed: 0, failed: 1 }],
  ])('%s', (_, testResults, code, args, expected) => {
    expect(countTests({ testResults }, code, args)).toEqual(expected);
  });
});

describe('the commands', () => {
  const repository = fileURLToPath(new URL('../..', import.meta.url));
  const node = (...args: string[]) => spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });

  test('bootstrap says how it is used', () => {
    const result = node('cli/bootstrap.mjs', 'constructor');
    expect(result).toMatchObject({
      status: 2,
      stderr: 'usage: node cli/bootstrap.mjs <build|test|demo|book|bench|fuzz|soak> [arguments]\n',
    });
  });

  test('writ hands on its arguments and the exit code', () => {
    const result = node('cli/writ.mjs', 'no-such-command');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('no-such-command');
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
