/** What a session says, told to Envoy: headers, bodies, and answers of our own. */
import { Bytes } from '../bytes';
import { put } from '../http/literal';
import { Output } from '../session/output';
import {
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_send_local_response,
  proxy_set_buffer_bytes,
} from './env';
import { Exchange } from './exchanges';
import { STATUS_OK } from './host';
import { wordOf } from './words';

const CONTENT_LENGTH: string = 'content-length';
const DETAILS: string = 'writ';
const NO_GRPC: i32 = -1;

/** Headers of an answer, as Envoy takes them. */
let pairs: usize = 0;

/** Takes away what the session takes away, then sets what it sets. False where Envoy did not. */
export function applyHeaders(o: Output, map: i32): bool {
  const removed = o.removeRun();
  let at: u32 = 0;
  while (at < removed.len) {
    const length = load<u32>(removed.ptr + at);
    if (proxy_remove_header_map_value(map, removed.ptr + at + 4, length) != STATUS_OK) return false;
    at += 4 + length;
  }
  const set = o.setRun();
  at = 0;
  while (at < set.len) {
    const name = load<u32>(set.ptr + at);
    const value = load<u32>(set.ptr + at + 4);
    const p = set.ptr + at + 8;
    if (proxy_replace_header_map_value(map, p, name, p + name, value) != STATUS_OK) return false;
    at += 8 + name + value;
  }
  return true;
}

export function removeLength(map: i32): bool {
  return proxy_remove_header_map_value(map, wordOf(CONTENT_LENGTH), <u32>CONTENT_LENGTH.length) == STATUS_OK;
}

/** Puts the session's body in the place of the first `covered` bytes of Envoy's. */
export function replaceBody(o: Output, buffer: i32, covered: u32): bool {
  const body = o.bodyRun();
  if (covered == 0 && body.len == 0) return true;
  return proxy_set_buffer_bytes(buffer, 0, covered, body.ptr, body.len) == STATUS_OK;
}

/** Answers the client in the upstream's place. */
export function answer(e: Exchange, o: Output): void {
  const headers = pairsOf(o.replyHeadersRun());
  const body = o.replyBodyRun();
  e.answered = true;
  const complete = changetype<usize>(headers) != 0 && !headers.failed && !body.failed;
  proxy_send_local_response(
    complete ? o.status : 503,
    wordOf(DETAILS),
    <u32>DETAILS.length,
    complete ? body.ptr : 0,
    complete ? body.len : 0,
    complete ? headers.ptr : 0,
    complete ? headers.len : 0,
    NO_GRPC,
  );
}

/** Without a session there are no words: memory, or the limit of open exchanges, is exhausted. */
export function answerBare(status: u32): void {
  proxy_send_local_response(status, wordOf(DETAILS), <u32>DETAILS.length, 0, 0, 0, 0, NO_GRPC);
}

/** From a run of headers to Envoy's serialisation of pairs. */
function pairsOf(run: Bytes): Bytes {
  const out = beginPairs();
  if (changetype<usize>(out) == 0) return out;
  let count: u32 = 0;
  for (let at: u32 = 0; at < run.len; count += 1) at += 8 + load<u32>(run.ptr + at) + load<u32>(run.ptr + at + 4);
  out.u32(count);
  for (let at: u32 = 0; at < run.len;) {
    out.append(run.ptr + at, 8);
    at += 8 + load<u32>(run.ptr + at) + load<u32>(run.ptr + at + 4);
  }
  for (let at: u32 = 0; at < run.len;) {
    const name = load<u32>(run.ptr + at);
    const value = load<u32>(run.ptr + at + 4);
    out.append(run.ptr + at + 8, name);
    out.push(0);
    out.append(run.ptr + at + 8 + name, value);
    out.push(0);
    at += 8 + name + value;
  }
  return out;
}

/** The run that pairs are written into, empty; its address is 0 where memory is exhausted. */
export function beginPairs(): Bytes {
  if (pairs == 0) pairs = changetype<usize>(Bytes.create());
  if (pairs != 0) changetype<Bytes>(pairs).clear();
  return changetype<Bytes>(pairs);
}

/** Appends a literal and the zero byte behind it. */
export function putWord(out: Bytes, text: string): void {
  put(out, text);
  out.push(0);
}
