/**
 * Small records that all of Envoy's workers share, changed by compare-and-swap: what a worker writes is refused where
 * another has written since it read. Envoy never forgets one, and keeps them when the filter changes.
 */
import { free } from '../memory';
import { proxy_get_shared_data, proxy_set_shared_data } from './env';
import { STATUS_OK } from './host';

/**
 * Envoy takes version 0 for "whatever is there". A record that is not there is written whatever the version; one that
 * another worker has made meanwhile never has this one.
 */
const NOT_THERE: u32 = 0xffffffff;
/** Others may come before a worker so often; then it gives up. */
export const TRIES_MAX: u32 = 256;

const answer: usize = memory.data(16, 8);
/** Of what was read last. */
let version: u32 = NOT_THERE;

export function versionRead(): u32 {
  return version;
}

/** What was read before is what is written now: it was of this version then. */
export function resumeVersion(earlier: u32): void {
  version = earlier;
}

/** Reads a record of exactly so many bytes into `to`; one that is not there is zeros. False where it cannot be read. */
export function readShared(key: usize, keyLength: u32, to: usize, length: u32): bool {
  store<u64>(answer, 0);
  const status = proxy_get_shared_data(key, keyLength, answer, answer + 4, answer + 8);
  const block = <usize>load<u32>(answer);
  const bytes = load<u32>(answer, 4);
  if (status == STATUS_OK && bytes == length) {
    memory.copy(to, block, length);
    version = load<u32>(answer, 8);
    free(block);
    return true;
  }
  free(block);
  memory.fill(to, 0, length);
  version = NOT_THERE;
  return status == NOT_FOUND;
}

/** Writes what was read last; false where another worker came before. */
export function writeShared(key: usize, keyLength: u32, from: usize, length: u32): bool {
  return proxy_set_shared_data(key, keyLength, from, length, version) == STATUS_OK;
}

const NOT_FOUND: i32 = 1;
