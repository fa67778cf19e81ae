/**
 * What an exchange was, told to Envoy when it is over: its decisions as filter state, from where the access log takes
 * them to the sidecar, and counters. Names of the policy and numbers, no piece of a body.
 */
import { T_KEEP } from '../abi';
import { Bytes } from '../bytes';
import { section } from '../decision/tables';
import { appendNumber } from '../json/escape';
import { put } from '../http/literal';
import { maskedForWant, wantsKey } from '../edit/policy-key';
import { proxy_define_metric, proxy_increment_metric, proxy_set_property } from './env';
import { Exchange } from './exchanges';
import { STATUS_OK } from './host';
import { wordOf } from './words';

/** Envoy calls it `wasm.decision`. */
const DECISION: string = 'decision';
/** Decisions of one exchange that are told; a search with very many chunks tells the first. */
const RECORDS_MAX: u32 = 1_024;
/** No decision is shorter. */
const RECORD_BYTES_MIN: u32 = 128;
const COUNTER: i32 = 0;

const FORWARDED: string = 'writ_exchanges_forwarded_total';
const ANSWERED: string = 'writ_exchanges_answered_total';
const ABORTED: string = 'writ_exchanges_aborted_total';
const SPENT: string = 'writ_spent_micros_total';
const MASKED: string = 'writ_pseudonyms_masked_total';
const CONNECTED: string = 'writ_connections_forwarded_total';
const CLOSED: string = 'writ_connections_denied_total';
const KEPT_LOST: string = 'writ_kept_lost_total';

/** Numbers of the metrics, in the order above; 0 until they are defined. */
const metrics: usize = memory.data(8 * 4, 4);
const number: usize = memory.data(4, 4);
let areDefined: bool = false;
/** Of the masked pseudonyms, those that are counted. */
let maskedTold: u32 = 0;
let document: usize = 0;

/** Once a VM. */
export function defineMetrics(): bool {
  if (areDefined) return true;
  areDefined =
    define(0, FORWARDED) &&
    define(1, ANSWERED) &&
    define(2, ABORTED) &&
    define(3, SPENT) &&
    define(5, CONNECTED) &&
    define(6, CLOSED) &&
    (!wantsKey() || define(4, MASKED)) &&
    (section(T_KEEP) == 0 || define(7, KEPT_LOST));
  return areDefined;
}

function define(position: u32, name: string): bool {
  if (proxy_define_metric(COUNTER, wordOf(name), <u32>name.length, number) != STATUS_OK) return false;
  store<u32>(metrics + (position << 2), load<u32>(number));
  return true;
}

/** After the session's end. */
export function countExchange(e: Exchange): void {
  const s = e.sessionOf();
  increment(wasAnswered(e) ? 1 : e.forwarded ? 0 : 2, 1);
  if (s.out().usageKnown != 0 && s.out().cost > 0) increment(3, s.out().cost);
  if (maskedForWant != maskedTold) {
    increment(4, <i64>(maskedForWant - maskedTold));
    maskedTold = maskedForWant;
  }
}

/** Of a connection to the outside. */
export function countConnection(isForwarded: bool): void {
  increment(isForwarded ? 5 : 6, 1);
}

/** What a rule keeps of an exchange did not reach the sidecar. */
export function countLost(): void {
  increment(7, 1);
}

function increment(position: u32, by: i64): void {
  proxy_increment_metric(load<u32>(metrics + (position << 2)), by);
}

/** A line `{"revision":"…","end":"forwarded","spentMicros":1|null}`, and then a line for each decision. */
export function tellDecisions(e: Exchange): void {
  const s = e.sessionOf();
  const o = s.out();
  const records = o.recordsRun();
  if (records.len == 0 || records.failed) return;
  if (document == 0) document = changetype<usize>(Bytes.create());
  if (document == 0) return;
  const out = changetype<Bytes>(document);
  out.clear();
  put(out, '{"revision":"');
  out.append(e.configurationOf().revision, e.configurationOf().revisionBytes);
  put(out, '","end":"');
  put(out, wasAnswered(e) ? 'answered' : e.forwarded ? 'forwarded' : 'aborted');
  put(out, '","spentMicros":');
  if (o.usageKnown != 0) appendNumber(out, <u64>o.cost);
  else put(out, 'null');
  put(out, '}\n');
  out.append(records.ptr, toldBytes(records));
  if (out.failed) return;
  proxy_set_property(wordOf(DECISION), <u32>DECISION.length, out.ptr, out.len);
}

/** Of the records, one JSON document a line, the bytes of the first RECORDS_MAX. */
function toldBytes(records: Bytes): u32 {
  if (records.len <= RECORDS_MAX * RECORD_BYTES_MIN) return records.len;
  let count: u32 = 0;
  for (let at: u32 = 0; at < records.len; at += 1) {
    if (load<u8>(records.ptr + at) != 0x0a) continue;
    count += 1;
    if (count == RECORDS_MAX) return at + 1;
  }
  return records.len;
}

/** By us, before or in the middle of the reply. */
function wasAnswered(e: Exchange): bool {
  const s = e.sessionOf();
  return e.answered || (s.stream != 0 && s.streamOf().refused);
}
