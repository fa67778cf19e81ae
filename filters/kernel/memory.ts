/**
 * The kernel's allocator: powers of two with free lists, over linear memory that grows on demand. There is no garbage
 * collector and nothing traps: `alloc` answers 0 when memory is exhausted, and whoever asked fails its own session.
 * Blocks of 32 bytes to 64 MiB; an 8-byte header before each holds its class.
 */
import { heapStart } from './policy';

const CLASS_MIN: u32 = 5;
const CLASS_MAX: u32 = 26;
const HEADER: u32 = 8;

/** Linear memory never grows past this: 1 GiB is what Envoy's V8 allows, and a sidecar must leave room for others. */
const MEMORY_PAGES_MAX: i32 = 12_288;

/** One list head a class. */
const freeLists: usize = memory.data(27 * 4, 8);
let top: usize = 0;

/** Bytes in blocks handed out and not freed, headers included: what a soak test watches. */
export let bytesInUse: u32 = 0;

/**
 * A block of at least `size` bytes, aligned to 8, not zeroed; 0 when memory is exhausted or `size` is over the largest
 * class.
 */
export function alloc(size: u32): usize {
  if (size > (1 << CLASS_MAX) - HEADER) return 0;
  const need = size + HEADER;
  let cls = need <= 1 << CLASS_MIN ? CLASS_MIN : 32 - clz(need - 1);
  const head = freeLists + (cls << 2);
  let block = <usize>load<u32>(head);
  if (block != 0) {
    store<u32>(head, load<u32>(block + HEADER));
  } else {
    if (top == 0) top = (heapStart() + 15) & ~15;
    const bytes: usize = 1 << cls;
    const end = top + bytes;
    const have = (<usize>memory.size()) << 16;
    if (end > have) {
      const pages = <i32>((end - have + 0xffff) >>> 16);
      if (memory.size() + pages > MEMORY_PAGES_MAX) return 0;
      if (memory.grow(pages) < 0) return 0;
    }
    block = top;
    top = end;
    store<u32>(block, cls);
  }
  bytesInUse += 1 << cls;
  return block + HEADER;
}

/** As `alloc`, filled with zeros. */
export function allocZeroed(size: u32): usize {
  const p = alloc(size);
  if (p != 0) memory.fill(p, 0, size);
  return p;
}

/** Bytes that fit into the block at `p`, at least what was asked for. */
export function capacityOf(p: usize): u32 {
  return (1 << load<u32>(p - HEADER)) - HEADER;
}

/** Gives a block back; 0 is ignored. */
export function free(p: usize): void {
  if (p == 0) return;
  const block = p - HEADER;
  const cls = load<u32>(block);
  const head = freeLists + (cls << 2);
  store<u32>(p, load<u32>(head));
  store<u32>(head, <u32>block);
  bytesInUse -= 1 << cls;
}

/**
 * A block of at least `size` bytes with the first `used` bytes of `p`; `p` is freed. 0 when memory is exhausted, and
 * `p` is then untouched.
 */
export function grow(p: usize, used: u32, size: u32): usize {
  if (p != 0 && capacityOf(p) >= size) return p;
  const q = alloc(size);
  if (q == 0) return 0;
  if (p != 0) {
    memory.copy(q, p, used);
    free(p);
  }
  return q;
}
