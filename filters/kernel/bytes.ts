/**
 * A growable run of bytes in the kernel's memory. Every append can fail: `failed` then stays true, later appends do
 * nothing, and whoever reads the bytes checks it once at the end.
 */
import { alloc, capacityOf, free, grow } from './memory';

@unmanaged
export class Bytes {
  ptr: usize = 0;
  len: u32 = 0;
  capacity: u32 = 0;
  failed: bool = false;

  /** An empty run, or null-like address 0 when memory is exhausted. */
  static create(): Bytes {
    const p = alloc(<u32>offsetof<Bytes>());
    if (p != 0) memory.fill(p, 0, offsetof<Bytes>());
    return changetype<Bytes>(p);
  }

  /** Frees the content and the run itself. */
  destroy(): void {
    free(this.ptr);
    free(changetype<usize>(this));
  }

  clear(): void {
    this.len = 0;
    this.failed = false;
  }

  /** Room for `more` bytes behind `len`. */
  reserve(more: u32): bool {
    if (this.failed) return false;
    const need = <u64>this.len + <u64>more;
    if (need <= <u64>this.capacity) return true;
    if (need > 0x3fffff0) {
      this.failed = true;
      return false;
    }
    const twice = <u64>this.capacity * 2;
    const size = <u32>(need > twice ? need : twice > 0x3fffff0 ? need : twice);
    const p = grow(this.ptr, this.len, size);
    if (p == 0) {
      this.failed = true;
      return false;
    }
    this.ptr = p;
    this.capacity = size;
    return true;
  }

  /** Takes a block of the allocator's for its own, with what is in it. */
  adopt(block: usize, length: u32): void {
    free(this.ptr);
    this.ptr = block;
    this.len = length;
    this.capacity = block == 0 ? 0 : capacityOf(block);
    this.failed = false;
  }

  push(byte: u32): void {
    if (!this.reserve(1)) return;
    store<u8>(this.ptr + this.len, <u8>byte);
    this.len += 1;
  }

  /** Where the next `bytes` go, once there is room for them; 0 where there is none. */
  room(bytes: u32): usize {
    return this.reserve(bytes) ? this.ptr + this.len : 0;
  }

  /** So many of them are written. */
  took(bytes: u32): void {
    this.len += bytes;
  }

  append(from: usize, length: u32): void {
    if (length == 0 || !this.reserve(length)) return;
    memory.copy(this.ptr + this.len, from, length);
    this.len += length;
  }

  u32(value: u32): void {
    if (!this.reserve(4)) return;
    store<u32>(this.ptr + this.len, value);
    this.len += 4;
  }
}
