/**
 * A filter for one policy, as `writ build` makes it, from source text; and exchanges driven through it as a door would.
 */
import { createHash } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type KeptExchange, KeptExchangeSchema } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { type HeldRequest, HeldRequestSchema } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { protocolTable } from '../../compiler/tables/protocols.ts';
import { storeFilters } from '../../compiler/tables/stores-filter.ts';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import { link } from '../../compiler/wasm/link.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import type { BudgetLevel, Header, Ruling, Shortage, Step } from '../../filters/door/session-port.ts';
import { type Filter, loadFilter } from '../../filters/host/load-filter.ts';
import { compileKernel, kernelEntry, kernelFlags } from '../../filters/kernel/build.ts';
import { protocols } from '../../filters/protocols/protocols.ts';

let kernel: Promise<Uint8Array> | undefined;

/** The policy's plan; throws with its diagnostics where it has errors. */
export function planOf(source: string): Plan {
  const { program, diagnostics } = checkProgram([sourceFile('test.writ', source)], detectors);
  if (program === null) throw new Error(diagnostics.map((each) => `${each.code} ${each.message}`).join('\n'));
  return lower(program, { sourceHash: '0'.repeat(64), compilerVersion: 'test' });
}

export interface Key {
  readonly key: string;
  readonly claims: { readonly [claim: string]: unknown };
}

export async function filterOf(source: string, keys: readonly Key[] = KEYS, pagesMax = 12_288): Promise<Filter> {
  return loadFilter(await filterWasmOf(source, keys, pagesMax));
}

export async function filterWasmOf(source: string, keys = KEYS, pagesMax = 12_288): Promise<Uint8Array> {
  const plan = planOf(source);
  kernel ??= compileKernel(kernelEntry('session'), kernelFlags('session'));
  const compiled = compileDetectors(plan.detectors, detectors);
  if (compiled.problems.length > 0) throw new Error(JSON.stringify(compiled.problems));
  return link({
    kernel: await kernel,
    plan,
    detectors: compiled.bytes,
    protocols: protocolTable(protocols),
    storeFilters: storeFilters(plan),
    identities: keys.map(({ key, claims }) => ({ sha256: createHash('sha256').update(key).digest('hex'), claims })),
    memory: { kind: 'own', pagesMax },
  });
}

export const KEYS: readonly Key[] = [{ key: 'key-1', claims: { sub: 'u1', dept: 'support', region: 'us' } }];
export const NONCE = 0x1234_5678_9abc_def0n;
/** The placeholder of the first card, with the nonce above. */
export const placeholder = (detector: string, number: number): string => `[${detector}_${number}_${nonceText(NONCE)}]`;

function nonceText(nonce: bigint): string {
  return Array.from(
    { length: 12 },
    (_, i) => 'abcdefghijklmnopqrstuvwxyz234567'[Number((nonce >> BigInt(i * 5)) & 31n)],
  ).join('');
}

export interface Upstream {
  readonly status?: number;
  readonly type?: string;
  readonly body: string | Uint8Array;
  readonly headers?: readonly Header[];
}

export interface Exchange {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly Header[];
  readonly body: string | Uint8Array;
  /** When the request arrives, in milliseconds since 1970 UTC. */
  readonly nowMs?: number;
  /** What the upstream answers, given what it received. */
  readonly upstream?: Upstream | ((sent: string) => Upstream);
  /** The name in a client certificate that Envoy verified. */
  readonly san?: string;
  readonly jwt?: { readonly [claim: string]: string | number | boolean };
  readonly levels?: readonly (BudgetLevel | undefined)[];
  /** The amounts cannot be set aside after all. */
  readonly shortage?: Shortage;
  /** What the queue of reviews says; unreachable where it is not given. */
  readonly review?: (held: HeldRequest) => Ruling;
  /** Whether the record can be kept. */
  readonly record?: (kept: KeptExchange) => boolean;
  readonly call?: (path: string) => { readonly status: number; readonly body: string } | undefined;
  /** Cuts a body into chunks. */
  readonly cut?: (bytes: Uint8Array) => readonly Uint8Array[];
  readonly trailers?: boolean;
  /** The client goes after so many bytes of the reply. */
  readonly hangUpAfter?: number;
}

export interface Seen {
  /** What the upstream received; null where the request was answered by us. */
  readonly sent: string | null;
  readonly sentHeaders: readonly Header[];
  readonly removed: readonly string[];
  readonly route: string | undefined;
  readonly reserve: readonly { readonly budget: string; readonly amount: number }[];
  /** What the client received. */
  readonly status: number;
  readonly got: string;
  readonly gotHeaders: readonly Header[];
  readonly records: readonly { readonly event: string; readonly outcome: string; readonly [key: string]: unknown }[];
  readonly spentMicros: number | undefined;
  /** What is kept of it for review. */
  readonly kept: KeptExchange | undefined;
}

export const whole = (bytes: Uint8Array): readonly Uint8Array[] => [bytes];

/** Drives one exchange. Checks that nothing is left of it in the filter's memory. */
export function run(filter: Filter, exchange: Exchange): Seen {
  const before = filter.bytesInUse();
  const session = filter.newSession({
    evidence: { jwt: exchange.jwt, san: exchange.san },
    nowMs: exchange.nowMs ?? 1_760_000_000_000,
    nonce: NONCE,
  });
  let seen: Seen;
  try {
    seen = drive(session, exchange);
  } finally {
    session.free();
  }
  const after = filter.bytesInUse();
  if (after > before + LASTING_BYTES) throw new Error(`the filter kept ${after - before} bytes`);
  return seen;
}

function drive(session: ReturnType<Filter['newSession']>, exchange: Exchange): Seen {
  const cut = exchange.cut ?? whole;
  const answer = (step: Step): Step => {
    let current = step;
    for (let i = 0; i < 20; i += 1) {
      if (current.kind === 'levels')
        current = session.levels(exchange.levels ?? current.budgets.map(() => ({ headroom: 1e12, spent: 0 })));
      else if (current.kind === 'review') {
        const held = fromBinary(HeldRequestSchema, Uint8Array.from(current.request));
        current = session.review(exchange.review?.(held) ?? { state: 'unreachable', ticket: '', seconds: 0 });
      } else if (current.kind === 'record') {
        const kept = fromBinary(KeptExchangeSchema, Uint8Array.from(current.kept));
        current = session.recorded(exchange.record?.(kept) ?? true);
      } else if (current.kind === 'call') {
        const response = exchange.call?.(current.path);
        current = session.callResponse(
          response ? { status: response.status, body: bytesOf(response.body) } : undefined,
        );
      } else if (current.kind === 'continue' && current.reserve.length > 0 && exchange.shortage !== undefined)
        current = session.refuseSpend(exchange.shortage);
      else return current;
    }
    throw new Error('the session asks without end');
  };
  const body = bytesOf(exchange.body);
  const headers: Header[] = [
    [':method', exchange.method ?? 'POST'],
    [':path', exchange.path ?? '/v1/chat/completions'],
    ...(exchange.headers ?? [
      ['authorization', 'Bearer key-1'],
      ['content-type', 'application/json'],
      ['content-length', String(body.length)],
    ]),
  ];
  let step = answer(session.requestHeaders(headers, body.length === 0));
  if (step.kind === 'hold') {
    const chunks = cut(body);
    chunks.forEach((chunk, i) => {
      if (step.kind === 'hold')
        step = answer(session.requestBody(chunk, !exchange.trailers && i === chunks.length - 1));
    });
    if (exchange.trailers && step.kind === 'hold') step = answer(session.requestTrailers());
  }
  let seen: Omit<Seen, 'records' | 'spentMicros' | 'kept'>;
  if (step.kind === 'reply') {
    seen = {
      sent: null,
      sentHeaders: [],
      removed: [],
      route: undefined,
      reserve: [],
      status: step.status,
      got: textOf(step.body),
      gotHeaders: step.headers,
    };
  } else if (step.kind === 'continue') {
    const sent = textOf(step.body ?? body);
    const request = {
      sent,
      sentHeaders: step.headers.set,
      removed: step.headers.remove,
      route: step.route,
      reserve: step.reserve,
    };
    const upstream = typeof exchange.upstream === 'function' ? exchange.upstream(sent) : exchange.upstream;
    seen = {
      ...request,
      ...(upstream ? respond(session, upstream, cut, exchange, answer) : { status: 0, got: '', gotHeaders: [] }),
    };
  } else throw new Error(`a request ended with ${step.kind}`);
  const outcome = session.outcome();
  return {
    ...seen,
    records: outcome.records.map((record) => JSON.parse(record) as Seen['records'][number]),
    spentMicros: outcome.spentMicros,
    kept: outcome.kept === undefined ? undefined : fromBinary(KeptExchangeSchema, outcome.kept),
  };
}

/** What the kernel keeps for all sessions once it is used: scratch runs, the cache of collections. */
const LASTING_BYTES = 1 << 20;

function respond(
  session: ReturnType<Filter['newSession']>,
  upstream: Upstream,
  cut: (bytes: Uint8Array) => readonly Uint8Array[],
  exchange: Exchange,
  answer: (step: Step) => Step,
): Pick<Seen, 'status' | 'got' | 'gotHeaders'> {
  const body = bytesOf(upstream.body);
  const headers: Header[] = [
    [':status', String(upstream.status ?? 200)],
    ['content-type', upstream.type ?? 'application/json'],
    ...(upstream.headers ?? []),
  ];
  let step = session.responseHeaders(headers, body.length === 0);
  let gotHeaders: readonly Header[] = step.kind === 'continue' ? step.headers.set : [];
  const parts: Uint8Array[] = [];
  let held: Uint8Array[] = [];
  const take = (): void => {
    if (step.kind !== 'continue') return;
    gotHeaders = [...gotHeaders, ...step.headers.set];
    parts.push(Uint8Array.from(step.body ?? Buffer.concat(held)));
    held = [];
  };
  const chunks = cut(body);
  for (const [i, chunk] of chunks.entries()) {
    if (step.kind === 'reply') break;
    if (exchange.hangUpAfter !== undefined && Buffer.concat(parts).length >= exchange.hangUpAfter) break;
    held.push(chunk);
    step = answer(session.responseBody(chunk, !exchange.trailers && i === chunks.length - 1));
    take();
  }
  if (exchange.trailers && step.kind !== 'reply') {
    step = answer(session.responseTrailers());
    take();
  }
  if (step.kind === 'reply') return { status: step.status, got: textOf(step.body), gotHeaders: step.headers };
  return { status: upstream.status ?? 200, got: textOf(Buffer.concat(parts)), gotHeaders };
}

export function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8');
}
