/**
 * Reads what the filter inside Envoy left of an exchange in Envoy's access log: the filter state `wasm.decision`, one
 * JSON document. Of the entry nothing else is looked at: it holds paths, addresses and names of the client's choice.
 * Pure.
 */
import { anyUnpack, BytesValueSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';
import type { Any } from '@bufbuild/protobuf/wkt';
import type { HTTPAccessLogEntry } from '../../proto/gen/envoy/data/accesslog/v3/accesslog_pb.ts';
import { DECISION_STATE } from '../../proto/route-key.ts';

export interface LoggedExchange {
  readonly revision: string;
  /** `forwarded` and `answered` are whole exchanges, whoever gave the answer. */
  readonly end: 'forwarded' | 'answered' | 'aborted';
  readonly spentMicros: number | undefined;
  /** Each one JSON document. */
  readonly records: readonly string[];
}

export type ReadEntry =
  | { readonly kind: 'exchange'; readonly exchange: LoggedExchange }
  /** The filter has decided nothing of it, or was not there. */
  | { readonly kind: 'no_decision' }
  | { readonly kind: 'malformed' };

export const DECISION_BYTES_MAX = 1024 * 1024;
export const RECORDS_MAX = 1_024;
const MALFORMED: ReadEntry = { kind: 'malformed' };

export function readAccessLogEntry(entry: HTTPAccessLogEntry): ReadEntry {
  const state = entry.commonProperties?.filterStateObjects[DECISION_STATE];
  if (state === undefined) return { kind: 'no_decision' };
  try {
    const text = textOf(state);
    return text === undefined ? MALFORMED : readDocument(JSON.parse(text));
  } catch {
    // Counted by the caller: a decision that cannot be read is no reason to end the log.
    return MALFORMED;
  }
}

function readDocument(document: unknown): ReadEntry {
  if (typeof document !== 'object' || document === null) return MALFORMED;
  const { revision, end, spentMicros, records }: { [name: string]: unknown } = { ...document };
  if (typeof revision !== 'string' || !/^[0-9a-f]{64}$/.test(revision)) return MALFORMED;
  if (end !== 'forwarded' && end !== 'answered' && end !== 'aborted') return MALFORMED;
  if (spentMicros !== null && !isMicros(spentMicros)) return MALFORMED;
  if (!Array.isArray(records) || records.length > RECORDS_MAX || !records.every(isRecord)) return MALFORMED;
  return {
    kind: 'exchange',
    exchange: {
      revision,
      end,
      spentMicros: spentMicros ?? undefined,
      // Printed anew: whatever it held between its tokens does not reach the log.
      records: records.map((record) => JSON.stringify(record)),
    },
  };
}

/** Envoy packs what a wasm filter sets as bytes, and what its own filters set as a string. */
function textOf(state: Any): string | undefined {
  if (state.value.length > DECISION_BYTES_MAX) return undefined;
  const bytes = anyUnpack(state, BytesValueSchema)?.value;
  if (bytes !== undefined) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return anyUnpack(state, StringValueSchema)?.value;
}

function isMicros(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
