/**
 * OPA's heap: a pointer that only its host moves back. Values that live between calls stand between `opa_heap_ptr_get`
 * before and after; nothing of them is kept elsewhere, because hosts copy that range from one instance to another.
 */
import { heapStart } from '../policy';
import { opa_abort } from './env';

let top: usize = heapStart();
/** Bytes of memory that are known to be there. Hosts grow memory too, so it may be more. */
let have: usize = 0;

export function heapTop(): usize {
  return top;
}

export function setHeapTop(to: usize): void {
  top = to;
}

/** Memory up to `end` is there, or the evaluation is aborted. */
function need(end: usize): void {
  have = (<usize>memory.size()) << 16;
  if (end <= have) return;
  // A quarter more than needed, so that a long text is not grown page by page.
  const pages = <i32>((end - have + 0xffff) >>> 16);
  const more = memory.size() >>> 2;
  if (memory.grow(pages > more ? pages : more) < 0 && memory.grow(pages) < 0) abortWith('out of memory');
  have = (<usize>memory.size()) << 16;
}

/** The heap as an arena (`take`) and as a sink of bytes (`push`, `append`, `room`). It has no fields. */
@unmanaged
export class Heap {
  /** Aligned to 8, not zeroed. */
  take(size: u32): usize {
    const at = (top + 7) & ~7;
    const end = at + size;
    if (end > 0xffff0000 || end < at) abortWith('out of memory');
    if (end > have) need(end);
    top = end;
    return at;
  }

  push(byte: u32): void {
    if (top >= have) need(top + 1);
    store<u8>(top, byte);
    top++;
  }

  /** Where the next `bytes` go. */
  room(bytes: u32): usize {
    if (top + bytes > have) need(top + bytes);
    return top;
  }

  /** So many of them are written. */
  took(bytes: u32): void {
    top += bytes;
  }

  append(from: usize, length: u32): void {
    if (top + length > have) need(top + length);
    memory.copy(top, from, length);
    top += length;
  }
}

export function heap(): Heap {
  return changetype<Heap>(<usize>8);
}

const MESSAGE_BYTES: u32 = 64;
const message: usize = memory.data(64, 8);

/** Ends the evaluation: hosts throw from `opa_abort`. */
export function abortWith(text: string): void {
  let at: u32 = 0;
  for (; at < <u32>text.length && at < MESSAGE_BYTES - 1; at++)
    store<u8>(message + at, load<u8>(changetype<usize>(text) + (at << 1)));
  store<u8>(message + at, 0);
  opa_abort(message);
  unreachable();
}
