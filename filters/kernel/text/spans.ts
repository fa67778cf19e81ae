/**
 * Accepted spans to hits: sorted by start, then detector; of one detector those that overlap united. A span is
 * [detector, start, end], three u32.
 */
import { Bytes } from '../bytes';
import { DETECTORS_MAX } from './layout';

export const SPAN_BYTES: u32 = 12;

/** For each detector the address of its last span while uniting. */
const lasts: usize = memory.data(DETECTORS_MAX * 4, 8);

/** Sorts and unites in place. */
export function uniteSpans(spans: Bytes): void {
  sortSpans(spans);
  memory.fill(lasts, 0, DETECTORS_MAX * 4);
  let to = spans.ptr;
  const end = spans.ptr + spans.len;
  for (let from = spans.ptr; from < end; from += SPAN_BYTES) {
    const last = lasts + ((<usize>load<u32>(from)) << 2);
    const before = <usize>load<u32>(last);
    if (before != 0 && load<u32>(from, 4) < load<u32>(before, 8)) {
      if (load<u32>(from, 8) > load<u32>(before, 8)) store<u32>(before, load<u32>(from, 8), 8);
      continue;
    }
    if (to != from) copySpan(to, from);
    store<u32>(last, <u32>to);
    to += SPAN_BYTES;
  }
  spans.len = <u32>(to - spans.ptr);
}

/**
 * Spans come nearly in order (a later anchor's match begins at most one match's length earlier), so insertion is
 * linear.
 */
function sortSpans(spans: Bytes): void {
  const end = spans.ptr + spans.len;
  for (let next = spans.ptr + SPAN_BYTES; next < end; next += SPAN_BYTES) {
    if (!isBefore(next, next - SPAN_BYTES)) continue;
    const detector = load<u32>(next);
    const start = load<u32>(next, 4);
    const stop = load<u32>(next, 8);
    let at = next;
    do {
      copySpan(at, at - SPAN_BYTES);
      at -= SPAN_BYTES;
    } while (
      at > spans.ptr &&
      (start < load<u32>(at - SPAN_BYTES, 4) ||
        (start == load<u32>(at - SPAN_BYTES, 4) && detector < load<u32>(at - SPAN_BYTES)))
    );
    store<u32>(at, detector);
    store<u32>(at, start, 4);
    store<u32>(at, stop, 8);
  }
}

function isBefore(a: usize, b: usize): bool {
  const from = load<u32>(a, 4);
  const other = load<u32>(b, 4);
  return from < other || (from == other && load<u32>(a) < load<u32>(b));
}

export function copySpan(to: usize, from: usize): void {
  store<u32>(to, load<u32>(from));
  store<u32>(to, load<u32>(from, 4), 4);
  store<u32>(to, load<u32>(from, 8), 8);
}
