/**
 * Runs a policy's `filter.wasm`: bytes in, steps out. It knows the kernel's calls and nothing of protocols, bodies or
 * rules. Synchronous; one instance serves many sessions, one call at a time.
 */
import type { FilterPort, KeyedPort, SessionStart } from '../door/session-port.ts';
import { doorImports } from './door-imports.ts';
import { FilterError } from './filter-error.ts';
import { FilterMemory, encodeText } from './filter-memory.ts';
import type { KernelExports } from './kernel-exports.ts';
import { type FilterBudget, WasmSession } from './wasm-session.ts';

export interface Filter extends FilterPort {
  newSession(start: SessionStart): WasmSession;
  /** Bytes that the filter has handed out and not got back: its start value again when no session is open. */
  bytesInUse(): number;
  /** Decides over facts given as JSON (compiler/plan/decision.ts). */
  decide(input: string): string;
  /** What the policy's detectors find in a text; offsets in bytes of its UTF-8. */
  scan(text: Uint8Array): readonly Hit[];
}

export interface Hit {
  /** Position among the policy's detectors. */
  readonly detector: number;
  readonly start: number;
  readonly end: number;
}

/** Throws FilterError where the module is none of ours. */
export function loadFilter(wasm: Uint8Array): Filter {
  return filterOver(instantiate(wasm));
}

/** Over an instance of a linked filter. */
export function filterOver(exports: KernelExports): Filter {
  const memory = new FilterMemory(exports);
  const budgets = Array.from({ length: exports.writ_budget_count() }, (_, i) => ({
    name: memory.text(exports.writ_budget_name(i)),
    each: exports.writ_budget_each(i) === 1,
  }));
  return {
    budgets: budgets.filter(({ each }) => !each).map(({ name }) => name),
    memoryBytes: () => memory.byteLength,
    ...(exports.writ_wants_key() === 0 ? {} : { keyed: keyedOf(exports, memory) }),
    bytesInUse: () => exports.writ_bytes_in_use(),
    takeFeed: (image) => memory.lend(image, (address, length) => exports.writ_feed(address, length)) === 1,
    newSession: (start) => openSession(exports, memory, budgets, start),
    decide: (input) =>
      memory.lend(encodeText(input), (address, length) => {
        const place = exports.writ_decide(address, length);
        if (place === 0) throw new FilterError('exhausted', 'the filter has no memory left');
        return memory.text(place);
      }),
    scan: (text) =>
      memory.lend(text, (address, length) => {
        const place = exports.writ_scan(address, length);
        if (place === 0) throw new FilterError('exhausted', 'the filter has no memory left');
        const hits = memory.run(place);
        const view = new DataView(hits.buffer);
        return Array.from({ length: hits.length / 12 }, (_, i) => ({
          detector: view.getUint32(i * 12, true),
          start: view.getUint32(i * 12 + 4, true),
          end: view.getUint32(i * 12 + 8, true),
        }));
      }),
  };
}

function keyedOf(exports: KernelExports, memory: FilterMemory): KeyedPort {
  return {
    takeKey: (key) => {
      if (memory.lend(key.reveal(), (address, length) => exports.writ_take_key(address, length)) === 0)
        throw new FilterError('load', 'the filter does not take the key of pseudonyms');
    },
    masked: () => exports.writ_masked_for_want(),
  };
}

function instantiate(wasm: Uint8Array): KernelExports {
  try {
    // A copy: the bytes of a bundle may be shared, and WebAssembly wants a buffer of its own.
    const module = new WebAssembly.Module(new Uint8Array(wasm));
    const { exports } = new WebAssembly.Instance(module, doorImports(module));
    if (typeof exports['session_new'] !== 'function' || !(exports['memory'] instanceof WebAssembly.Memory))
      throw new FilterError('load', 'the module is not a filter');
    return exports as unknown as KernelExports;
  } catch (cause) {
    if (cause instanceof FilterError) throw cause;
    throw new FilterError('load', 'the filter cannot be loaded', { cause });
  }
}

function openSession(
  exports: KernelExports,
  memory: FilterMemory,
  budgets: readonly FilterBudget[],
  { evidence, nowMs, nonce }: SessionStart,
): WasmSession {
  const handle = exports.session_new(BigInt.asUintN(64, nonce), BigInt(nowMs));
  if (handle === 0) throw new FilterError('exhausted', 'the filter has no memory for another session');
  const session = new WasmSession(exports, memory, budgets, handle);
  session.identify(evidence);
  return session;
}
