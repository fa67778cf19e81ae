// The real OPA installs, has WebAssembly, and evaluates expressions and bundles.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import * as opa from '../../examples/parts/opa.ts';

beforeAll(opa.install);

test('is the pinned version, with WebAssembly', async () => {
  const { code, stdout } = await opa.run(['version']);
  expect(code).toBe(0);
  expect(stdout).toContain('Version: 1.22.2');
  expect(stdout).toContain('WebAssembly: available');
});

test('evaluates an expression', async () => {
  const { stdout } = await opa.run(['eval', '--format', 'raw', '1+1']);
  expect(stdout.trim()).toBe('2');
});

test('reads a module from its input and says why it is wrong', async () => {
  const { code, stderr } = await opa.run(['fmt'], { stdin: 'package a\n\nallow if {' });
  expect(code).not.toBe(0);
  expect(stderr).toContain('rego_parse_error');
});

test('evaluates a bundle by its policy.wasm, and Rego by itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-opa-'));
  const source = join(folder, 'policy.rego');
  const bundle = join(folder, 'bundle.tar.gz');
  writeFileSync(source, 'package writ\n\ndecision := {"allow": input.tokens <= 10}\n');
  const built = await opa.run([
    'build',
    '--target',
    'wasm',
    '--entrypoint',
    'writ/decision',
    '--output',
    bundle,
    source,
  ]);
  expect(built).toMatchObject({ code: 0 });

  expect(await opa.evalBundle(bundle, 'data.writ.decision', { tokens: 10 })).toEqual({
    value: { allow: true },
    byWasm: true,
  });
  expect(await opa.evalBundle(bundle, 'data.writ.decision', { tokens: 11 })).toEqual({
    value: { allow: false },
    byWasm: true,
  });
  expect(await opa.evalRego([source], 'data.writ.decision', { tokens: 11 })).toEqual({
    value: { allow: false },
    byWasm: false,
  });
  expect(await opa.evalBundle(bundle, 'data.writ.missing', {})).toEqual({ value: undefined, byWasm: false });
});

test('an evaluation that fails is an error with what OPA said', async () => {
  await expect(opa.evalBundle('/nonexistent.tar.gz', 'data.writ.decision', {})).rejects.toMatchObject({
    code: 'command_failed',
    message: expect.stringContaining('nonexistent.tar.gz') as unknown,
  });
});
