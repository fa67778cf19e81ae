/**
 * Prints what the kernel's work on one request costs, from the session's creation to its end, with the example policy:
 * no door, no network, and the bytes of head and body lie in the filter's memory. With paths of other filters (as
 * `writ build` puts them into a bundle) these take turns with the one that is built here.
 * `node test/bench/kernel.ts [FILTER.wasm …]`; `--write FILTER.wasm` writes the one built here.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compile } from '../../cli/compile.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { doorImports } from '../../filters/host/door-imports.ts';
import { FilterMemory } from '../../filters/host/filter-memory.ts';
import { writeHeaderPairs } from '../../filters/host/header-pairs.ts';
import type { KernelExports } from '../../filters/host/kernel-exports.ts';
import { OUTPUT_REPLY_BODY } from '../../filters/host/output-layout.ts';
import { ACTION_CONTINUE, ACTION_HOLD, ACTION_LEVELS } from '../../filters/kernel/abi.ts';
import { KERNEL_TEXTS } from './kernel-texts.ts';

const ROUNDS = 11;
/** Of one text in one round. */
const BYTES_A_ROUND = 6_000_000;
const REQUESTS_A_ROUND_MAX = 4_000;
const API_KEY = 'sk-0123456789abcdef0123456789abcdef';
const NOW_MS = 1_760_000_000_000n;
const NONCE = 0x1234_5678_9abc_def0n;

interface Run {
  readonly kernel: KernelExports;
  readonly head: { readonly at: number; readonly length: number };
  readonly bodies: readonly { readonly at: number; readonly length: number }[];
}

const { values, positionals } = parseArgs({ options: { write: { type: 'string' } }, allowPositionals: true });
const built = await build();
if (values.write !== undefined) writeFileSync(values.write, built);
const filters = [
  { name: 'this', wasm: built },
  ...positionals.map((path) => ({ name: path, wasm: readFileSync(path) })),
];
console.log(JSON.stringify({ 'filter.wasm, bytes': built.length }));
const runs = filters.map(({ wasm }) => load(new Uint8Array(wasm)));

for (const [at, { name }] of KERNEL_TEXTS.entries()) {
  const times = runs.map((): { readonly whole: number[]; readonly head: number[] } => ({ whole: [], head: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    runs.forEach((run, i) => {
      times[i]?.whole.push(microsOf(run, at));
      times[i]?.head.push(microsOf(run, null));
    });
  }
  filters.forEach((filter, i) => {
    const { whole, head } = times[i] ?? { whole: [], head: [] };
    const bytes = runs[i]?.bodies[at]?.length ?? 0;
    console.log(
      JSON.stringify({
        request: name,
        ...(filters.length > 1 ? { filter: basename(filter.name) } : {}),
        bytes,
        'best µs': rounded(Math.min(...whole)),
        'median µs': rounded(median(whole)),
        'of it session and head, best µs': rounded(Math.min(...head)),
        'body, best MB/s': Math.round(bytes / (Math.min(...whole) - Math.min(...head))),
      }),
    );
  });
}

/**
 * Builds the example policy's filter, with a caller whose API key is known here, and with models that read prompts as
 * long as those that are measured.
 */
async function build(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  try {
    const deployment = join(folder, 'deployment.json');
    const url = 'http://127.0.0.1:1';
    const claims = { sub: 'bench', dept: 'finance', region: 'us', clearance: 'internal' };
    writeFileSync(
      deployment,
      JSON.stringify({
        listener: { port: 1 },
        models: { gemma: { url }, frontier: { url } },
        stores: { handbook: { url } },
        identity: { apiKeys: [{ sha256: createHash('sha256').update(API_KEY).digest('hex'), claims }] },
      }),
    );
    const acme = fileURLToPath(new URL('../../examples/acme', import.meta.url));
    const policy = join(folder, 'acme');
    mkdirSync(policy);
    for (const file of readdirSync(acme).filter((each) => each.endsWith('.writ')))
      writeFileSync(
        join(policy, file),
        readFileSync(join(acme, file), 'utf8').replaceAll('context: 4_096 tokens', 'context: 1_000_000 tokens'),
      );
    const { compiled } = await compile({ path: policy, cwd: '/', allowUnenforced: false, deployment });
    const wasm = compiled?.files.get(BUNDLE_PATHS.filterWasm);
    if (wasm === undefined) throw new Error('the example policy has errors: `writ check examples/acme` shows them');
    return wasm;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function load(wasm: Uint8Array<ArrayBuffer>): Run {
  const module = new WebAssembly.Module(wasm);
  const kernel = new WebAssembly.Instance(module, doorImports(module)).exports as unknown as KernelExports;
  const write = (bytes: Uint8Array): { at: number; length: number } => {
    const at = kernel.writ_alloc(bytes.length);
    new Uint8Array(kernel.memory.buffer).set(bytes, at);
    return { at, length: bytes.length };
  };
  const head = write(
    writeHeaderPairs([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', 'models.acme.example'],
      [':path', '/v1/chat/completions'],
      ['user-agent', 'openai-python/1.99.1'],
      ['accept', 'application/json'],
      ['content-type', 'application/json'],
      ['content-length', '1800'],
      ['authorization', `Bearer ${API_KEY}`],
      ['x-forwarded-for', '10.1.2.3'],
      ['x-forwarded-proto', 'https'],
      ['x-request-id', '6ee1c1de-1f6e-4f8b-9ac1-8b8e3f4f1a52'],
      ['x-stainless-lang', 'python'],
    ]),
  );
  const run = { kernel, head, bodies: KERNEL_TEXTS.map(({ body }) => write(new TextEncoder().encode(body))) };
  for (let i = 0; i < 2_000; i += 1) exchange(run, null);
  run.bodies.forEach((_, at) => microsOf(run, at));
  return run;
}

/** Processor time of one request. Without a body: of the session's creation, its head and its end. */
function microsOf(run: Run, at: number | null): number {
  const bytes = at === null ? 1_500 : (run.bodies[at]?.length ?? 0);
  const requests = Math.max(1, Math.min(REQUESTS_A_ROUND_MAX, Math.round(BYTES_A_ROUND / bytes)));
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < requests; i += 1) exchange(run, at);
  const used = process.cpuUsage({ user, system });
  return (used.user + used.system) / requests;
}

function exchange({ kernel, head, bodies }: Run, at: number | null): void {
  const session = kernel.session_new(NONCE, NOW_MS);
  let action = kernel.session_request_headers(session, head.at, head.length, 0);
  if (action !== ACTION_HOLD) throw new Error('the head is refused');
  const body = at === null ? undefined : bodies[at];
  if (body !== undefined) {
    action = kernel.session_request_body(session, body.at, body.length, 1);
    if (action === ACTION_LEVELS) action = kernel.session_levels(session, 0, 0);
    if (action !== ACTION_CONTINUE) throw new Error(`body ${at} is refused: ${replyOf(kernel, session)}`);
  }
  kernel.session_end(session);
  kernel.session_free(session);
}

function replyOf(kernel: KernelExports, session: number): string {
  return new FilterMemory(kernel).text(kernel.session_out(session) + OUTPUT_REPLY_BODY);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function rounded(micros: number): number {
  return Math.round(micros * 10) / 10;
}
