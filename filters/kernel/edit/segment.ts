/**
 * A segment is one piece of text in a document: a JSON string (or a number's literal), and the part of a lane that it
 * is. From a range of the lane it finds the bytes of the document that the range came from, by reading the segment
 * again; that happens only where something is edited.
 */
import { Bytes } from '../bytes';
import { escapeCodePoint, rawStep, textStep } from '../json/unescape';
import { addEdit } from './edits';
import { appendArguments, argumentsState, isPending, stepArguments, stepEscaped, stepInside } from './arguments';
import { appendUnescaped } from '../json/unescape';

export const SEGMENT_BYTES: u32 = 32;
/** Content in the document, without quotes. */
export const SEGMENT_START: usize = 0;
export const SEGMENT_END: usize = 4;
/** Range in the lane. */
export const SEGMENT_FROM: usize = 8;
export const SEGMENT_TO: usize = 12;
export const SEGMENT_MODE: usize = 16;
export const SEGMENT_ESCAPED: usize = 17;
/** State of the arguments machine at its start. */
export const SEGMENT_STATE: usize = 20;
/** Stream: address of its channel. */
export const SEGMENT_CHANNEL: usize = 24;
/** Stream: 1 where an inner escape stands open at its end. */
export const SEGMENT_OPEN: usize = 28;

export const MODE_TEXT: u32 = 0;
export const MODE_ARGUMENTS: u32 = 1;
/** Keys and numbers: scanned, but nothing can stand in their place. */
export const MODE_FIXED: u32 = 2;

/** Set by `cutRange` when it met bytes that cannot be edited: structure of arguments, a key, a number. */
export let cutFixed: bool = false;

// Where the last edit of a segment that must be read again ended: the next one, further on in the text, goes on there,
// so that a segment is read once, however many edits it has.
let readSegment: usize = 0;
let readTo: u32 = 0;
let readLane: u32 = 0;
let readState: u32 = 0;

/** State of the arguments machine behind the last segment appended. */
export let stateAfter: u32 = 0;

/** Appends the segment's text to `out`. */
export function appendSegmentText(out: Bytes, document: usize, segment: usize): void {
  const p = document + load<u32>(segment);
  const end = document + load<u32>(segment, SEGMENT_END);
  const mode = <u32>load<u8>(segment, SEGMENT_MODE);
  if (mode == MODE_ARGUMENTS) {
    stateAfter = appendArguments(out, p, end, load<u32>(segment, SEGMENT_STATE));
    store<u8>(segment, isPending(stateAfter) ? 1 : 0, SEGMENT_OPEN);
  } else if (load<u8>(segment, SEGMENT_ESCAPED) != 0) {
    appendUnescaped(out, p, end);
  } else {
    out.append(p, <u32>(end - p));
  }
}

/**
 * Edits the document where the lane's range [from, to) touches the segment: the bytes go, and the replacement (offset
 * and length in the exchange's replacements) comes in their place.
 */
export function cutRange(
  edits: Bytes,
  document: usize,
  segment: usize,
  from: u32,
  to: u32,
  text: u32,
  length: u32,
): void {
  const mode = <u32>load<u8>(segment, SEGMENT_MODE);
  if (mode == MODE_FIXED) {
    cutFixed = true;
    return;
  }
  const start = load<u32>(segment);
  const end = load<u32>(segment, SEGMENT_END);
  const base = load<u32>(segment, SEGMENT_FROM);
  if (mode == MODE_TEXT && load<u8>(segment, SEGMENT_ESCAPED) == 0) {
    const cutFrom = from > base ? start + (from - base) : start;
    const cutTo = to - base < end - start ? start + (to - base) : end;
    addEdit(edits, cutFrom, cutTo - cutFrom, text, length);
    return;
  }
  let p = start;
  let lane = base;
  let state = load<u32>(segment, SEGMENT_STATE);
  if (segment == readSegment && from >= readLane) {
    p = readTo;
    lane = readLane;
    state = readState;
  }
  let cutFrom: u32 = 0;
  let cutting = false;
  while (p < end) {
    let raw: u32;
    let bytes: u32;
    const before = state;
    let inside = true;
    if (mode == MODE_TEXT) {
      raw = rawStep(document + p);
      bytes = textStep(document + p);
    } else {
      raw = rawStep(document + p);
      bytes =
        raw == 1 ? stepArguments(state, load<u8>(document + p)) : stepEscaped(state, escapeCodePoint(document + p));
      state = argumentsState;
      inside = stepInside;
    }
    // What stands at `p` is text [lane, lane + bytes); an escape that is not complete yet belongs to the text that it
    // will become.
    const covered = lane < to && (bytes == 0 ? lane >= from : lane + bytes > from);
    if (covered && !cutting) {
      cutting = true;
      cutFrom = p;
    }
    if (covered && !inside) cutFixed = true;
    if (!covered && cutting) {
      state = before;
      break;
    }
    p += raw;
    lane += bytes;
  }
  readSegment = segment;
  readTo = p;
  readLane = lane;
  readState = state;
  if (cutting) addEdit(edits, cutFrom, p - cutFrom, text, length);
}

/** Before the edits of a document. */
export function clearCutFixed(): void {
  cutFixed = false;
  readSegment = 0;
}
