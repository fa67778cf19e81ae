/**
 * Reads what the filter inside Envoy left of an exchange in Envoy's access log: the filter state `wasm.decision`. Its
 * first line is a JSON document about the exchange, and each line after it a decision. Of the log's messages nothing
 * else is looked at: they hold paths, addresses and names of the client's choice. The messages are read by hand, since
 * reading all of them by generated code costs more than the exchange does inside Envoy.
 */
import { DECISION_STATE } from '../../proto/route-key.ts';
import { WireReader } from '../door/wire/wire-reader.ts';
import { KnownTexts } from './known-texts.ts';

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
const NO_DECISION: ReadEntry = { kind: 'no_decision' };
const UTF8 = new TextDecoder('utf-8', { fatal: true });
/** Envoy packs what a wasm filter sets as bytes, and what its own filters set as a string: field 1 in both. */
const VALUE_TYPES: ReadonlySet<string> = new Set([
  'type.googleapis.com/google.protobuf.BytesValue',
  'type.googleapis.com/google.protobuf.StringValue',
]);

// Numbers of fields, by message (envoy/service/accesslog/v3/als.proto, envoy/data/accesslog/v3/accesslog.proto).
/** Entries of HTTP and of TCP begin alike. */
const MESSAGE_HTTP_LOGS = 2;
const MESSAGE_TCP_LOGS = 3;
const LOGS_ENTRY = 1;
const ENTRY_COMMON = 1;
const COMMON_FILTER_STATE = 21;

/** The entries of a `StreamAccessLogsMessage`. Throws DoorError for bytes that are none. */
export function readAccessLogMessage(bytes: Uint8Array): ReadEntry[] {
  const entries: ReadEntry[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.field === MESSAGE_HTTP_LOGS || reader.field === MESSAGE_TCP_LOGS) readEntries(reader, entries);
    else reader.skip();
  }
  return entries;
}

function readEntries(reader: WireReader, into: ReadEntry[]): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === LOGS_ENTRY) into.push(readEntry(reader));
    else reader.skip();
  }
  reader.leave(outer);
}

function readEntry(reader: WireReader): ReadEntry {
  let state: Packed | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === ENTRY_COMMON) state = readCommon(reader) ?? state;
    else reader.skip();
  }
  reader.leave(outer);
  return state === undefined ? NO_DECISION : readState(state);
}

/** A `google.protobuf.Any`. */
interface Packed {
  readonly type: string;
  readonly value: Uint8Array;
}

const NOTHING = new Uint8Array();

function readCommon(reader: WireReader): Packed | undefined {
  let state: Packed | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === COMMON_FILTER_STATE) state = readFilterState(reader) ?? state;
    else reader.skip();
  }
  reader.leave(outer);
  return state;
}

/** One entry of the map of filter states, if it is ours. */
function readFilterState(reader: WireReader): Packed | undefined {
  let name = '';
  let value: Packed = { type: '', value: NOTHING };
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) value = readPacked(reader);
    else reader.skip();
  }
  reader.leave(outer);
  return name === DECISION_STATE ? value : undefined;
}

function readPacked(reader: WireReader): Packed {
  let type = '';
  let value: Uint8Array = NOTHING;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) type = reader.text();
    else if (reader.field === 2) value = reader.bytes();
    else reader.skip();
  }
  reader.leave(outer);
  return { type, value };
}

function readState({ type, value }: Packed): ReadEntry {
  if (!VALUE_TYPES.has(type) || value.length > DECISION_BYTES_MAX) return MALFORMED;
  try {
    return readDecision(textOf(value));
  } catch {
    // Counted by the caller: a decision that cannot be read is no reason to end the log.
    return MALFORMED;
  }
}

function textOf(value: Uint8Array): string {
  const reader = new WireReader(value);
  let bytes: Uint8Array = NOTHING;
  while (reader.next()) {
    if (reader.field === 1) bytes = reader.bytes();
    else reader.skip();
  }
  return UTF8.decode(bytes);
}

function readDecision(text: string): ReadEntry {
  const lines = text.split('\n', RECORDS_MAX + 3);
  const [head = '', ...records] = lines;
  const exchange = exchanges.of(head);
  // The last line ends, too.
  if (exchange === undefined || records.pop() !== '' || records.length > RECORDS_MAX) return MALFORMED;
  const printed: string[] = [];
  for (const record of records) {
    const document = documents.of(record);
    if (document === undefined) return MALFORMED;
    printed.push(document);
  }
  return { kind: 'exchange', exchange: { ...exchange, records: printed } };
}

const exchanges = new KnownTexts(readExchange);
const documents = new KnownTexts(printAnew);

function readExchange(text: string): Omit<LoggedExchange, 'records'> | undefined {
  const document: unknown = JSON.parse(text);
  if (!isObject(document)) return undefined;
  const { revision, end, spentMicros }: { [name: string]: unknown } = { ...document };
  if (typeof revision !== 'string' || !/^[0-9a-f]{64}$/.test(revision)) return undefined;
  if (end !== 'forwarded' && end !== 'answered' && end !== 'aborted') return undefined;
  if (spentMicros !== null && !isMicros(spentMicros)) return undefined;
  return { revision, end, spentMicros: spentMicros ?? undefined };
}

/** Whatever a record held between its tokens does not reach the log. */
function printAnew(record: string): string | undefined {
  const document: unknown = JSON.parse(record);
  return isObject(document) ? JSON.stringify(document) : undefined;
}

function isMicros(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
