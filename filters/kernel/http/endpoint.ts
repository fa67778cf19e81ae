/** Which endpoint of which protocol a request is for. */
import { T_PROTOCOLS } from '../abi';
import { section } from '../decision/tables';
import {
  ENDPOINT_BYTES,
  ENDPOINT_EVENT,
  ENDPOINT_FLAGS,
  ENDPOINT_FORM,
  ENDPOINT_METHOD,
  ENDPOINT_PATH,
  ENDPOINT_PATH_BYTES,
  ENDPOINTS,
  METHOD_DELETE,
  METHOD_GET,
  METHOD_POST,
  METHOD_PUT,
} from '../protocol/places';
import { is } from './literal';

/** Captures of a path: address and bytes each. */
export const CAPTURES_MAX: u32 = 4;
export const PATH_BYTES_MAX: u32 = 2_048;

const captured: usize = memory.data(4 * 8, 8);
let capturedCount: u32 = 0;

/** Address of the protocols' table; its offsets count from here. */
export function protocolSection(): usize {
  return section(T_PROTOCOLS);
}

/** The endpoint of this method and path, or 0. Its captures are read with `capture` until the next call. */
export function findEndpoint(method: usize, methodBytes: u32, path: usize, pathBytes: u32): usize {
  const table = protocolSection();
  if (table == 0 || pathBytes > PATH_BYTES_MAX) return 0;
  const code = methodCode(method, methodBytes);
  const count = load<u32>(table);
  for (let i: u32 = 0; i < count; i += 1) {
    const e = table + ENDPOINTS + i * ENDPOINT_BYTES;
    if (<i32>load<u8>(e, ENDPOINT_METHOD) != code) continue;
    if (matches(table + load<u32>(e, ENDPOINT_PATH), load<u32>(e, ENDPOINT_PATH_BYTES), path, pathBytes)) return e;
  }
  return 0;
}

/** Address of the i-th capture's (address, bytes); 0 where there is none. */
export function capture(i: u32): usize {
  return i < capturedCount ? captured + (i << 3) : 0;
}

export function eventOf(endpoint: usize): i32 {
  return load<u8>(endpoint, ENDPOINT_EVENT);
}

export function formOf(endpoint: usize): u32 {
  return load<u8>(endpoint, ENDPOINT_FORM);
}

export function hasFlag(endpoint: usize, flag: i32): bool {
  return ((<i32>load<u8>(endpoint, ENDPOINT_FLAGS)) & flag) != 0;
}

/** The node at which the endpoint's request, reply or stream begins, or 0. */
export function rootOf(endpoint: usize, field: usize): usize {
  const offset = load<u32>(endpoint + field);
  return offset == 0 ? 0 : protocolSection() + offset;
}

function methodCode(p: usize, length: u32): i32 {
  if (is(p, length, 'POST')) return METHOD_POST;
  if (is(p, length, 'GET')) return METHOD_GET;
  if (is(p, length, 'PUT')) return METHOD_PUT;
  if (is(p, length, 'DELETE')) return METHOD_DELETE;
  return -1;
}

/** `{…}` in the pattern stands for one whole segment. */
function matches(pattern: usize, patternBytes: u32, path: usize, pathBytes: u32): bool {
  capturedCount = 0;
  let i: u32 = 0;
  let j: u32 = 0;
  while (i < patternBytes) {
    const c = <u32>load<u8>(pattern + i);
    if (c == 0x7b) {
      while (i < patternBytes && load<u8>(pattern + i) != 0x7d) i += 1;
      i += 1;
      const from = j;
      while (j < pathBytes && isSegmentByte(load<u8>(path + j))) j += 1;
      if (j == from || isDots(path + from, j - from) || capturedCount >= CAPTURES_MAX) return false;
      store<u32>(captured + (capturedCount << 3), <u32>(path + from));
      store<u32>(captured + (capturedCount << 3), j - from, 4);
      capturedCount += 1;
      continue;
    }
    if (j >= pathBytes || <u32>load<u8>(path + j) != c) return false;
    i += 1;
    j += 1;
  }
  return j == pathBytes;
}

function isSegmentByte(c: u32): bool {
  return c - 0x30 <= 9 || c - 0x41 <= 25 || c - 0x61 <= 25 || c == 0x2e || c == 0x5f || c == 0x2d;
}

function isDots(p: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i += 1) if (load<u8>(p + i) != 0x2e) return false;
  return true;
}
