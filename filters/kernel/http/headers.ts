/**
 * Header pairs in proxy-wasm's serialisation (u32 count, then u32 name and value lengths each, then name NUL value
 * NUL): reading them, and writing the changes to them.
 */
import { Bytes } from '../bytes';
import { is } from './literal';

/** Pairs of one message. */
export const HEADERS_MAX: u32 = 1_024;

// The pair that `nextHeader` or `findHeader` found last.
export let headerName: usize = 0;
export let headerNameBytes: u32 = 0;
export let headerValue: usize = 0;
export let headerValueBytes: u32 = 0;

/** Whether [ptr, ptr + length) is what it says. Every other function here takes it for granted. */
export function areHeaders(ptr: usize, length: u32): bool {
  if (length < 4) return false;
  const count = load<u32>(ptr);
  if (count > HEADERS_MAX || length < 4 + count * 8) return false;
  let need: u64 = 4 + <u64>count * 8;
  for (let i: u32 = 0; i < count; i += 1) need += <u64>load<u32>(ptr + 4 + i * 8) + <u64>load<u32>(ptr + 8 + i * 8) + 2;
  return need <= <u64>length;
}

export function headerCount(ptr: usize): u32 {
  return load<u32>(ptr);
}

/**
 * Reads the pairs in order: `at` is the address behind the pair before, 0 at first; answers the address behind this
 * one.
 */
export function nextHeader(ptr: usize, i: u32, at: usize): usize {
  const p = at == 0 ? ptr + 4 + <usize>load<u32>(ptr) * 8 : at;
  headerName = p;
  headerNameBytes = load<u32>(ptr + 4 + i * 8);
  headerValue = p + headerNameBytes + 1;
  headerValueBytes = load<u32>(ptr + 8 + i * 8);
  return headerValue + headerValueBytes + 1;
}

/** How often the header (its name in lower case) stands there; the last one is in `headerValue`. */
export function findHeader(ptr: usize, name: string): u32 {
  const count = headerCount(ptr);
  let at: usize = 0;
  let found: u32 = 0;
  let value: usize = 0;
  let valueBytes: u32 = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    at = nextHeader(ptr, i, at);
    if (!is(headerName, headerNameBytes, name)) continue;
    found += 1;
    value = headerValue;
    valueBytes = headerValueBytes;
  }
  headerValue = value;
  headerValueBytes = valueBytes;
  return found;
}

/** Appends `name: value` to a run of headers to set. */
export function putHeader(out: Bytes, name: string, value: usize, valueBytes: u32): void {
  const n = <u32>name.length;
  out.u32(n);
  out.u32(valueBytes);
  for (let i: u32 = 0; i < n; i += 1) out.push(load<u16>(changetype<usize>(name) + (i << 1)));
  out.append(value, valueBytes);
}

/** Appends a name to a run of headers to remove. */
export function putName(out: Bytes, name: usize, bytes: u32): void {
  out.u32(bytes);
  out.append(name, bytes);
}
