/**
 * Server-sent events (HTML Standard, 9.2): where one event ends, and where its data stands. Lines end in LF, CR LF or
 * CR; an event ends with an empty line. The unit is the complete event, so that no result depends on how the bytes
 * came.
 */
import { Bytes } from '../bytes';
import { is, startsWith } from '../http/literal';
import { StreamEvent } from './stream-state';

/**
 * Where a search that found no end goes on: offset of the next byte to be looked at, and of the line in which it is.
 */
export let searchedTo: u32 = 0;
export let searchedLine: u32 = 0;

/**
 * Bytes of the event that begins at [p, end), its empty line included; 0 while it is not complete. A CR that is the
 * last byte may still be followed by its LF: unless `final`, the event is then not complete. `from` and `line` are what
 * the search before said, 0 at first.
 */
export function eventBytes(p: usize, end: usize, final: bool, from: u32, line: u32): u32 {
  let q = p + from;
  let lineStart = p + line;
  while (q < end) {
    const c = load<u8>(q);
    if (c != 0x0a && c != 0x0d) {
      q += 1;
      continue;
    }
    if (c == 0x0d && q + 1 == end && !final) break;
    const empty = q == lineStart;
    q += c == 0x0d && q + 1 < end && load<u8>(q + 1) == 0x0a ? 2 : 1;
    if (empty) return <u32>(q - p);
    lineStart = q;
  }
  searchedTo = <u32>(q - p);
  searchedLine = <u32>(lineStart - p);
  return 0;
}

/**
 * Finds the data of an event: one line's place, or several lines joined by LF. False where memory is exhausted.
 * `length` is 0 where there is no data.
 */
export function findData(e: StreamEvent): bool {
  const raw = e.rawBytes();
  let p = raw.ptr;
  const end = raw.ptr + raw.len;
  let lines: u32 = 0;
  while (p < end) {
    const lineEnd = endOfLine(p, end);
    if (isData(p, <u32>(lineEnd - p))) {
      const value = valueOf(p, lineEnd);
      lines += 1;
      if (lines == 1) {
        e.start = <u32>(value - raw.ptr);
        e.length = <u32>(lineEnd - value);
      } else {
        if (lines == 2) {
          const joined = Bytes.create();
          if (changetype<usize>(joined) == 0) return false;
          e.joined = changetype<usize>(joined);
          joined.append(raw.ptr + e.start, e.length);
        }
        const joined = changetype<Bytes>(e.joined);
        joined.push(0x0a);
        joined.append(value, <u32>(lineEnd - value));
        if (joined.failed) return false;
        e.length = joined.len;
      }
    }
    p = afterLine(lineEnd, end);
  }
  return true;
}

/** Appends the lines that name an event, as they came. */
export function appendNames(out: Bytes, raw: Bytes): void {
  let p = raw.ptr;
  const end = raw.ptr + raw.len;
  while (p < end) {
    const lineEnd = endOfLine(p, end);
    const next = afterLine(lineEnd, end);
    if (isField(p, <u32>(lineEnd - p), 'event')) out.append(p, <u32>(next - p));
    p = next;
  }
}

/** Whether some line is neither data nor an event's name. */
export function hasMoreThanNames(raw: Bytes): bool {
  let p = raw.ptr;
  const end = raw.ptr + raw.len;
  while (p < end) {
    const lineEnd = endOfLine(p, end);
    const length = <u32>(lineEnd - p);
    if (length > 0 && !isData(p, length) && !isField(p, length, 'event')) return true;
    p = afterLine(lineEnd, end);
  }
  return false;
}

/** Bytes of an event's name. */
const NAME_BYTES_MAX: u32 = 64;

/** Whether every event's name is a word as protocols use them: letters, `_`, `.` and `-`. No value is made of them. */
export function hasPlainNames(raw: Bytes): bool {
  let p = raw.ptr;
  const end = raw.ptr + raw.len;
  while (p < end) {
    const lineEnd = endOfLine(p, end);
    if (isField(p, <u32>(lineEnd - p), 'event')) {
      let q = p + 5;
      if (q < lineEnd) q += 1;
      if (q < lineEnd && load<u8>(q) == 0x20) q += 1;
      if (<u32>(lineEnd - q) > NAME_BYTES_MAX) return false;
      for (; q < lineEnd; q += 1) {
        const c = <u32>load<u8>(q);
        if ((c | 0x20) - 0x61 > 25 && c != 0x5f && c != 0x2e && c != 0x2d) return false;
      }
    }
    p = afterLine(lineEnd, end);
  }
  return true;
}

/**
 * Whether every line is of a field that the standard knows, or a comment. Others are ignored by a client that follows
 * it; one that does not (or that skips a byte-order mark) would read what was not looked at.
 */
export function hasKnownLines(raw: Bytes): bool {
  let p = raw.ptr;
  const end = raw.ptr + raw.len;
  while (p < end) {
    const lineEnd = endOfLine(p, end);
    const length = <u32>(lineEnd - p);
    if (
      length > 0 &&
      load<u8>(p) != 0x3a &&
      !isData(p, length) &&
      !isField(p, length, 'event') &&
      !isField(p, length, 'id') &&
      !isField(p, length, 'retry')
    )
      return false;
    p = afterLine(lineEnd, end);
  }
  return true;
}

function isField(p: usize, length: u32, name: string): bool {
  const n = <u32>name.length;
  return startsWith(p, length, name) && (length == n || load<u8>(p + n) == 0x3a);
}

function isData(p: usize, length: u32): bool {
  return is(p, length, 'data') || startsWith(p, length, 'data:');
}

function valueOf(p: usize, lineEnd: usize): usize {
  let q = p + 4;
  if (q < lineEnd) q += 1;
  if (q < lineEnd && load<u8>(q) == 0x20) q += 1;
  return q;
}

function endOfLine(p: usize, end: usize): usize {
  while (p < end && load<u8>(p) != 0x0a && load<u8>(p) != 0x0d) p += 1;
  return p;
}

function afterLine(p: usize, end: usize): usize {
  if (p >= end) return end;
  if (load<u8>(p) == 0x0d && p + 1 < end && load<u8>(p + 1) == 0x0a) return p + 2;
  return p + 1;
}
