/**
 * Scratch memory of one session: many allocations, one release. Blocks come from the kernel's allocator, so that
 * nothing leaks when the session ends, whatever it was doing.
 */
import { alloc, free } from '../memory';

/** Content of a block that the arena asks for when none is left: small, because most sessions need a few texts only. */
const ARENA_BLOCK_BYTES: u32 = 4_080;
/** A session that needs more than this fails: a body's facts are far below. */
const ARENA_BYTES_MAX: u32 = 4 << 20;

@unmanaged
export class Arena {
  /** The newest block; its first word is the address of the one before. */
  head: usize = 0;
  next: usize = 0;
  end: usize = 0;
  total: u32 = 0;

  /** Empty; the address is 0 when memory is exhausted. */
  static create(): Arena {
    const p = alloc(<u32>offsetof<Arena>());
    if (p != 0) memory.fill(p, 0, offsetof<Arena>());
    return changetype<Arena>(p);
  }

  /** `size` bytes aligned to 8, not zeroed; 0 when memory or the arena's share of it is exhausted. */
  take(size: u32): usize {
    const need = (size + 7) & ~7;
    if (need < size) return 0;
    if (<usize>need <= this.end - this.next) {
      const p = this.next;
      this.next += need;
      return p;
    }
    if (need > ARENA_BYTES_MAX || this.total > ARENA_BYTES_MAX - need) return 0;
    const bytes = need + 8 > ARENA_BLOCK_BYTES ? need + 8 : ARENA_BLOCK_BYTES;
    const block = alloc(bytes);
    if (block == 0) return 0;
    store<u32>(block, <u32>this.head);
    this.head = block;
    this.total += bytes;
    this.next = block + 8 + need;
    this.end = block + bytes;
    return block + 8;
  }

  /** Gives back everything that was taken; the arena can be used again. */
  release(): void {
    let block = this.head;
    while (block != 0) {
      const before = <usize>load<u32>(block);
      free(block);
      block = before;
    }
    this.head = 0;
    this.next = 0;
    this.end = 0;
    this.total = 0;
  }

  /** Releases everything, the arena included. */
  destroy(): void {
    this.release();
    free(changetype<usize>(this));
  }
}
