/**
 * What the sidecar says to the filter beside its code: the plugin's configuration, lines of words with one space
 * between them (its writer is compiler/envoy/filter-configuration.ts). A line that is not known is an error, so that
 * nothing is silently not in force.
 *
 *   requestBytes N    a larger body is answered with 413
 *   replyBytes N      a larger reply that must be held whole is refused
 *   exchanges N       open ones of one worker; more are answered with 503
 *   replies           the policy reads replies; else they pass as they are
 *   certificates      clients may show certificates
 *   revision HEX      of the bundle, for the decision log
 *   store KEY AUTHORITY [PREFIX]   in the policy's order: its cluster, host and the beginning of its paths
 *   feeds             the last line: behind it come images of lists and switches, a u32 of their bytes before each
 */
import { takeFeed } from '../feeds/feeds';
import { alloc, allocZeroed, free } from '../memory';
import { is } from '../http/literal';

export const STORES_MAX: u32 = 64;
const STORE_BYTES: u32 = 24;
const DIGITS_MAX: u32 = 9;
const FEEDS_LINE_BYTES: u32 = 6;

@unmanaged
export class Configuration {
  text: usize = 0;
  textBytes: u32 = 0;
  requestBytes: u32 = 0;
  replyBytes: u32 = 0;
  exchanges: u32 = 0;
  replies: bool = false;
  certificates: bool = false;
  revision: usize = 0;
  revisionBytes: u32 = 0;
  stores: usize = 0;
  storeCount: u32 = 0;

  destroy(): void {
    free(this.text);
    free(this.stores);
    free(changetype<usize>(this));
  }
}

// Of the store that `findStoreAddress` found.
export let cluster: usize = 0;
export let clusterBytes: u32 = 0;
export let authority: usize = 0;
export let authorityBytes: u32 = 0;
export let prefix: usize = 0;
export let prefixBytes: u32 = 0;

/** Where a store of the policy is. */
export function findStoreAddress(c: Configuration, position: u32): bool {
  if (position >= c.storeCount) return false;
  const s = c.stores + position * STORE_BYTES;
  cluster = <usize>load<u32>(s);
  clusterBytes = load<u32>(s, 4);
  authority = <usize>load<u32>(s, 8);
  authorityBytes = load<u32>(s, 12);
  prefix = <usize>load<u32>(s, 16);
  prefixBytes = load<u32>(s, 20);
  return true;
}

// The words of the line that is read.
const WORDS_MAX: u32 = 4;
const words: usize = memory.data(4 * 8, 8);

/** Takes `block` (from the allocator) for its own; 0 where it cannot be read, and the block is then free. */
export function readConfiguration(block: usize, length: u32): usize {
  const textBytes = findFeeds(block, length);
  if (textBytes == length) return readText(block, length);
  // What feeds say is kept once, and not with every configuration.
  const text = takeFeeds(block + textBytes + FEEDS_LINE_BYTES, length - textBytes - FEEDS_LINE_BYTES)
    ? alloc(textBytes)
    : 0;
  if (text != 0) memory.copy(text, block, textBytes);
  free(block);
  return text == 0 ? 0 : readText(text, textBytes);
}

/** Where the line `feeds` begins, `length` where there is none. */
function findFeeds(block: usize, length: u32): u32 {
  let at: u32 = 0;
  while (at < length) {
    let end = at;
    while (end < length && load<u8>(block + end) != 0x0a) end += 1;
    if (end < length && is(block + at, end - at, 'feeds')) return at;
    at = end + 1;
  }
  return length;
}

/** An image that is not newer than what is there is no error: an older configuration may be told again. */
function takeFeeds(p: usize, length: u32): bool {
  let at: u32 = 0;
  while (at < length) {
    if (length - at < 4) return false;
    const bytes = load<u32>(p + at);
    at += 4;
    if (bytes > length - at) return false;
    takeFeed(p + at, bytes);
    at += bytes;
  }
  return true;
}

function readText(block: usize, length: u32): usize {
  const p = allocZeroed(<u32>offsetof<Configuration>());
  const stores = alloc(STORES_MAX * STORE_BYTES);
  if (p == 0 || stores == 0) {
    free(p);
    free(stores);
    free(block);
    return 0;
  }
  const c = changetype<Configuration>(p);
  c.text = block;
  c.textBytes = length;
  c.stores = stores;
  let at: u32 = 0;
  while (at < length) {
    let end = at;
    while (end < length && load<u8>(block + end) != 0x0a) end += 1;
    if (!readLine(c, block + at, end - at)) {
      c.destroy();
      return 0;
    }
    at = end + 1;
  }
  if (c.requestBytes != 0 && c.replyBytes != 0 && c.exchanges != 0) return p;
  c.destroy();
  return 0;
}

function readLine(c: Configuration, p: usize, length: u32): bool {
  const count = split(p, length);
  if (count == 1 && isWord(0, 'replies')) {
    c.replies = true;
    return true;
  }
  if (count == 1 && isWord(0, 'certificates')) {
    c.certificates = true;
    return true;
  }
  if (count == 2 && isWord(0, 'revision')) {
    c.revision = wordAt(1);
    c.revisionBytes = wordBytes(1);
    return true;
  }
  if (count >= 3 && isWord(0, 'store')) return readStore(c, count);
  if (count != 2) return false;
  const n = number(wordAt(1), wordBytes(1));
  if (n == 0) return false;
  if (isWord(0, 'requestBytes')) c.requestBytes = n;
  else if (isWord(0, 'replyBytes')) c.replyBytes = n;
  else if (isWord(0, 'exchanges')) c.exchanges = n;
  else return false;
  return true;
}

function readStore(c: Configuration, count: u32): bool {
  if (c.storeCount == STORES_MAX) return false;
  const s = c.stores + c.storeCount * STORE_BYTES;
  for (let i: u32 = 0; i < 3; i += 1) {
    const has = i + 1 < count;
    store<u32>(s + (i << 3), has ? <u32>wordAt(i + 1) : 0);
    store<u32>(s + (i << 3), has ? wordBytes(i + 1) : 0, 4);
  }
  c.storeCount += 1;
  return true;
}

/** Cuts a line into words; 0 where it has too many, or an empty one. */
function split(p: usize, length: u32): u32 {
  let count: u32 = 0;
  let at: u32 = 0;
  while (at <= length) {
    let end = at;
    while (end < length && load<u8>(p + end) != 0x20) end += 1;
    if (end == at || count == WORDS_MAX) return 0;
    store<u32>(words + (count << 3), <u32>(p + at));
    store<u32>(words + (count << 3), end - at, 4);
    count += 1;
    at = end + 1;
  }
  return count;
}

function wordAt(i: u32): usize {
  return <usize>load<u32>(words + (i << 3));
}

function wordBytes(i: u32): u32 {
  return load<u32>(words + (i << 3), 4);
}

function isWord(i: u32, text: string): bool {
  return is(wordAt(i), wordBytes(i), text);
}

/** A decimal that is not zero; 0 where it is none. */
function number(p: usize, length: u32): u32 {
  if (length > DIGITS_MAX) return 0;
  let n: u32 = 0;
  for (let i: u32 = 0; i < length; i += 1) {
    const digit = <u32>load<u8>(p + i) - 0x30;
    if (digit > 9) return 0;
    n = n * 10 + digit;
  }
  return n;
}
