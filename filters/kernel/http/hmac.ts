/**
 * HMAC-SHA256 (RFC 2104). A key is made ready once: the two states in which the hash of its padded block leaves it, so that
 * each use costs two blocks less, and so that nothing holds the key itself where only its uses are wanted. Between
 * `beginHmac` and `endHmac` stands what is hashed (`addToHash`); one at a time.
 */
import { addToHash, beginHash, endHash, keepHash, resumeHash } from './sha256';

export const HMAC_BYTES: u32 = 32;
/** Two states of the hash. */
export const HMAC_STATE_BYTES: u32 = 64;
const BLOCK_BYTES: u32 = 64;
const INNER: u32 = 0x36;
const OUTER: u32 = 0x5c;

const padded: usize = memory.data(64, 8);
const inner: usize = memory.data(32, 8);

/** Writes the states of a key of at most BLOCK_BYTES to `to`. */
export function readyHmac(key: usize, length: u32, to: usize): void {
  keepPadded(key, length, INNER, to);
  keepPadded(key, length, OUTER, to + 32);
}

export function beginHmac(states: usize): void {
  resumeHash(states, <u64>BLOCK_BYTES);
}

/** Writes HMAC_BYTES to `to`. */
export function endHmac(states: usize, to: usize): void {
  endHash(inner);
  resumeHash(states + 32, <u64>BLOCK_BYTES);
  addToHash(inner, 32);
  endHash(to);
  memory.fill(inner, 0, 32);
}

/** The key, filled up with zeros to a block, each byte changed by `pad`. */
function keepPadded(key: usize, length: u32, pad: u32, to: usize): void {
  for (let i: u32 = 0; i < BLOCK_BYTES; i += 1)
    store<u8>(padded + i, <u8>((i < length ? <u32>load<u8>(key + i) : 0) ^ pad));
  beginHash();
  addToHash(padded, BLOCK_BYTES);
  keepHash(to);
  memory.fill(padded, 0, BLOCK_BYTES);
}
