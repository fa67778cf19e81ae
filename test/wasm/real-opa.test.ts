// policy.wasm in real OPA: `opa eval` (the Go SDK asks for Rego values, format 1) and `opa run --server`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeGzip } from '../../compiler/bundle/gzip.ts';
import { writeTar } from '../../compiler/bundle/tar.ts';
import { decide } from '../../compiler/interpret/decide.ts';
import { policyWasm } from '../../compiler/wasm/policy-wasm.ts';
import { evalBundle, install } from '../../examples/parts/opa.ts';
import { ALLOW, deny, plan, prompt, promptInput, redact, rule, TRUE, VERIFIED } from '../interpret/small-plan.ts';
import { opaKernel } from './kernel.ts';

const thePlan = plan([
  prompt({
    default: 'deny',
    rules: [
      rule('allow_all', TRUE, ALLOW),
      rule('no_verified', VERIFIED, deny('not "you"')),
      rule('mask', TRUE, redact('mask', 'email')),
    ],
  }),
]);
const inputs: readonly unknown[] = [
  promptInput(),
  promptInput({ caller: { verified: true, groups: ['ä', '😀'] } }),
  promptInput({ caller: { id: 7 } }),
  { event: 'prompt' },
  { event: 'none' },
  'no object',
  [1],
  5,
  null,
];

let folder = '';
let bundle = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-opa-'));
  bundle = join(folder, 'bundle.tar.gz');
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const files = new Map([
    [
      '/.manifest',
      json({ revision: '1', roots: ['writ'], wasm: [{ entrypoint: 'writ/decision', module: '/policy.wasm' }] }),
    ],
    ['/data.json', json({ writ: { note: ['ä', { deep: [{}, []] }] } })],
    ['/policy.wasm', policyWasm(await opaKernel(), thePlan)],
  ]);
  writeFileSync(bundle, writeGzip(writeTar(files)));
}, 900_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(inputs)('opa eval answers as the interpreter: %j', async (input) => {
  const { value, byWasm } = await evalBundle(bundle, 'data.writ.decision', input);
  expect(byWasm).toBe(true);
  expect(value).toEqual(decide(thePlan, input));
});

test('a query around the decision uses it as a value', async () => {
  const { value } = await evalBundle(bundle, 'x := data.writ.decision.outcome == "allow"', promptInput());
  expect(value).toBe(true);
});

test('opa run answers over HTTP, many requests at once', async () => {
  const { binary } = await install();
  const port = await freePort();
  const server = spawn(
    binary,
    ['run', '--server', '--addr', `127.0.0.1:${port}`, '--bundle', bundle, '--log-level', 'error'],
    { stdio: 'ignore' },
  );
  try {
    const url = `http://127.0.0.1:${port}`;
    await until(async () => (await fetch(`${url}/health?bundles`)).ok);
    const ask = async (input: unknown) => {
      const response = await fetch(`${url}/v1/data/writ/decision`, { method: 'POST', body: JSON.stringify({ input }) });
      return ((await response.json()) as { result?: unknown }).result;
    };
    const many = Array.from({ length: 64 }, (_, at) => inputs[at % 5]);
    expect(await Promise.all(many.map(ask))).toEqual(many.map((input) => decide(thePlan, input)));
  } finally {
    server.kill();
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function until(isReady: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    if (await isReady().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('not ready within 30 seconds');
}
