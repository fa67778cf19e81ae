/**
 * Envoy's calls in the kernel's terms. What Envoy returns it writes into a block that it asks the allocator for; whoever
 * takes it frees it. Every status is looked at: what could not be read is not there.
 */
import { free } from '../memory';
import { wordOf } from './words';
import {
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_header_map_value,
  proxy_get_property,
  random_get,
} from './env';

export const STATUS_OK: i32 = 0;

export const BUFFER_REQUEST: i32 = 0;
export const BUFFER_REPLY: i32 = 1;
export const BUFFER_CALL: i32 = 4;
export const BUFFER_MESSAGE: i32 = 5;
export const BUFFER_CONFIGURATION: i32 = 7;

export const MAP_REQUEST: i32 = 0;
export const MAP_REQUEST_TRAILERS: i32 = 1;
export const MAP_REPLY: i32 = 2;
export const MAP_REPLY_TRAILERS: i32 = 3;
export const MAP_CALL: i32 = 6;

/** What of a connection `proxy_close_stream` closes: its client's side. */
export const DOWNSTREAM: i32 = 2;

/** What a callback answers; a paused body is buffered. */
export const GO_ON: i32 = 0;
export const PAUSE: i32 = 1;

/** What the last `take…` got: its address is a block of the allocator's, 0 where there is none, or `detach` took it. */
export let taken: usize = 0;
export let takenBytes: u32 = 0;

const STATUS: string = ':status';
const answer: usize = memory.data(16, 8);

/** Bytes of a buffer; false where they cannot be had, or not all of them. */
export function takeBuffer(buffer: i32, length: u32): bool {
  clear();
  if (length == 0) return true;
  const status = proxy_get_buffer_bytes(buffer, 0, length, answer, answer + 4);
  return keep(status) && takenBytes == length;
}

/** A map's header pairs, as http/headers.ts reads them. */
export function takeHeaders(map: i32): bool {
  clear();
  return keep(proxy_get_header_map_pairs(map, answer, answer + 4));
}

export function takeHeader(map: i32, name: usize, nameLength: u32): bool {
  clear();
  return keep(proxy_get_header_map_value(map, name, nameLength, answer, answer + 4));
}

/** `path`: segments with a zero byte between them. */
export function takeProperty(path: usize, pathLength: u32): bool {
  clear();
  return keep(proxy_get_property(path, pathLength, answer, answer + 4));
}

/** Gives back what was taken last. */
export function release(): void {
  free(taken);
  clear();
}

/** The block that was taken last is the caller's from now on; `takenBytes` stays. */
export function detach(): usize {
  const block = taken;
  taken = 0;
  return block;
}

/** The status in a reply's headers; 0 where there is none. */
export function takeStatus(map: i32): u32 {
  if (!takeHeader(map, wordOf(STATUS), <u32>STATUS.length)) return 0;
  let status: u32 = 0;
  for (let i: u32 = 0; i < takenBytes && i < 3; i += 1) status = status * 10 + <u32>load<u8>(taken + i) - 0x30;
  release();
  return status;
}

/** Milliseconds since 1970 UTC; -1 where Envoy does not say. */
export function nowMs(): i64 {
  return proxy_get_current_time_nanoseconds(answer) == STATUS_OK ? load<i64>(answer) / 1_000_000 : -1;
}

/** Eight random bytes are at the answer's address; false where there are none. */
export function takeRandom(): bool {
  return random_get(answer, 8) == 0;
}

export function randomBits(): u64 {
  return load<u64>(answer);
}

function clear(): void {
  taken = 0;
  takenBytes = 0;
  store<u64>(answer, 0);
}

function keep(status: i32): bool {
  taken = <usize>load<u32>(answer);
  takenBytes = load<u32>(answer, 4);
  if (status == STATUS_OK) return true;
  free(taken);
  clear();
  return false;
}
