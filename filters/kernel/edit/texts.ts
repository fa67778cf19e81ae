/**
 * Text that is complete: every text place of a document, lane by lane. Each lane is scanned as it closes; what was
 * found waits until the decision is known, and is then turned into edits.
 */
import { bitOf } from '../bits';
import { Bytes } from '../bytes';
import { RECORD_END, RECORD_ESCAPED, RECORD_START, RECORD_TYPE, TYPE_STRING } from '../json/walk';
import { VALUES_MAX } from './values';
import {
  buildClusters,
  CLUSTER_BYTES,
  CLUSTER_END,
  CLUSTER_LENGTH,
  CLUSTER_PLACED,
  CLUSTER_START,
  CLUSTER_TEXT,
  HIT_BYTES,
  HIT_KNOWN,
  HIT_NEW,
  HIT_PLACEHOLDER,
  isInPlaceholder,
  pushHit,
  sortHits,
} from './hits';
import { parsedDetector, parsedNumber, parsePlaceholder } from './placeholders';
import {
  appendSegmentText,
  clearCutFixed,
  cutFixed,
  cutRange,
  MODE_ARGUMENTS,
  MODE_FIXED,
  MODE_TEXT,
  SEGMENT_BYTES,
  SEGMENT_END,
  SEGMENT_ESCAPED,
  SEGMENT_FROM,
  SEGMENT_MODE,
  SEGMENT_TO,
} from './segment';
import { redactsAt } from '../session/call-entries';
import { Session } from '../session/session-state';
import { appendPlainNumber, isScientific } from '../http/number-text';
import { noteInMessage, NO_MESSAGE } from '../prompt/messages';
import { UrlState } from './url-state';
import { NO_VALUE, ORIGIN_PROMPT, ORIGIN_REPLY, Values } from './values';

/** Hits of one event: every value may stand often, but not without end. */
export const HITS_MAX: u32 = VALUES_MAX * 8;

const GROUP_BYTES: u32 = 20;
const GROUP_SEGMENT: usize = 0;
const GROUP_SEGMENTS: usize = 4;
const GROUP_HIT: usize = 8;
const GROUP_HITS: usize = 12;
/** A byte; behind it, in three, of which call the lane is an argument (its position, from 1; 0: of none). */
const GROUP_MODE: usize = 16;
const CALL_SHIFT: u32 = 8;

/** Forgets the texts of the document before. */
export function clearTexts(s: Session): void {
  changetype<Bytes>(s.segments).clear();
  changetype<Bytes>(s.hits).clear();
  changetype<Bytes>(s.groups).clear();
  changetype<Bytes>(s.clusters).clear();
  changetype<Bytes>(s.edits).clear();
  s.laneOf().clear();
}

/** Begins a lane. */
export function openGroup(s: Session, mode: u32): void {
  const groups = changetype<Bytes>(s.groups);
  if (!groups.reserve(GROUP_BYTES)) {
    s.failed = true;
    return;
  }
  const g = groups.ptr + groups.len;
  store<u32>(g, changetype<Bytes>(s.segments).len / SEGMENT_BYTES, GROUP_SEGMENT);
  store<u32>(g, 0, GROUP_SEGMENTS);
  store<u32>(g, changetype<Bytes>(s.hits).len / HIT_BYTES, GROUP_HIT);
  store<u32>(g, 0, GROUP_HITS);
  store<u32>(g, mode, GROUP_MODE);
  groups.len += GROUP_BYTES;
  s.laneOf().clear();
}

/**
 * Adds the text of a record (a string, a key, a number) to the open lane. `alone`: nothing else comes into the lane, so
 * that it may be read where it stands.
 */
export function addToGroup(s: Session, document: usize, record: usize, mode: u32, alone: bool = false): void {
  const groups = changetype<Bytes>(s.groups);
  const segments = changetype<Bytes>(s.segments);
  if (s.failed || groups.len == 0) return;
  if (!segments.reserve(SEGMENT_BYTES)) {
    s.failed = true;
    return;
  }
  const quote: u32 = load<u8>(record, RECORD_TYPE) == TYPE_STRING ? 1 : 0;
  const segment = segments.ptr + segments.len;
  memory.fill(segment, 0, SEGMENT_BYTES);
  store<u32>(segment, load<u32>(record, RECORD_START) + quote);
  store<u32>(segment, load<u32>(record, RECORD_END) - quote, SEGMENT_END);
  store<u8>(segment, <u8>mode, SEGMENT_MODE);
  store<u8>(segment, load<u8>(record, RECORD_ESCAPED), SEGMENT_ESCAPED);
  segments.len += SEGMENT_BYTES;
  const lane = s.laneOf();
  store<u32>(segment, lane.length, SEGMENT_FROM);
  if (mode == MODE_ARGUMENTS || load<u8>(segment, SEGMENT_ESCAPED) != 0) {
    const text = changetype<Bytes>(s.text);
    text.clear();
    appendSegmentText(text, document, segment);
    if (text.failed) s.failed = true;
    else lane.append(text.ptr, text.len);
  } else {
    const text = document + load<u32>(segment);
    const bytes = load<u32>(segment, SEGMENT_END) - load<u32>(segment);
    const number = quote == 0 && isScientific(text, text + bytes);
    if (alone && !number) lane.borrow(text, bytes);
    else lane.append(text, bytes);
    if (number) {
      // Nothing can stand in a number's place, so it does not matter that this text has no place in the document.
      const plain = changetype<Bytes>(s.text);
      plain.clear();
      appendPlainNumber(plain, text, text + bytes);
      if (plain.failed) s.failed = true;
      else lane.append(plain.ptr, plain.len);
    }
  }
  store<u32>(segment, lane.length, SEGMENT_TO);
  const g = groups.ptr + groups.len - GROUP_BYTES;
  store<u32>(g, load<u32>(g, GROUP_SEGMENTS) + 1, GROUP_SEGMENTS);
}

/** Ends the open lane: scans it, and notes what it holds. */
export function closeGroup(s: Session, message: u32): void {
  const groups = changetype<Bytes>(s.groups);
  if (s.failed || groups.len == 0) return;
  const g = groups.ptr + groups.len - GROUP_BYTES;
  const lane = s.laneOf();
  const hits = changetype<Bytes>(s.hits);
  lane.scan(true);
  if (lane.failed || lane.hitCount + hits.len / HIT_BYTES > HITS_MAX) {
    s.failed = true;
    return;
  }
  s.textBytes += lane.length;
  const text = lane.text();
  const from = load<u32>(g, GROUP_HIT);
  if (s.isReply) findPlaceholders(s, hits, text, lane.length, 0);
  const placeholders = hits.len / HIT_BYTES;
  for (let i: u32 = 0; i < lane.hitCount; i += 1) {
    const h = lane.hit(i);
    const start = load<u32>(h, 4);
    const end = load<u32>(h, 8);
    if (isInPlaceholder(hits.ptr, from, placeholders, start, end)) continue;
    noteHit(s, hits, load<u32>(h), start, end, text + start, message);
  }
  if (load<u32>(g, GROUP_SEGMENTS) > 1) scanParts(s, hits, g, placeholders, message);
  if (hits.failed || s.valuesOf().failed) {
    s.failed = true;
    return;
  }
  const count = hits.len / HIT_BYTES - from;
  sortHits(hits.ptr + from * HIT_BYTES, count);
  store<u32>(g, count, GROUP_HITS);
  if (count == 0) {
    // Nothing will be edited here: the segments are not needed again.
    changetype<Bytes>(s.segments).len = load<u32>(g) * SEGMENT_BYTES;
    groups.len -= GROUP_BYTES;
  }
}

/**
 * Whoever shows the parts of a lane one by one shows what stands in each: letters and digits that touch it from the
 * part beside must not hide it.
 */
function scanParts(s: Session, hits: Bytes, group: usize, placeholders: u32, message: u32): void {
  const lane = s.laneOf();
  const text = lane.text();
  const segments = changetype<Bytes>(s.segments);
  const from = load<u32>(group, GROUP_HIT);
  let segment = segments.ptr + load<u32>(group) * SEGMENT_BYTES;
  const last = segment + load<u32>(group, GROUP_SEGMENTS) * SEGMENT_BYTES;
  for (; segment < last; segment += SEGMENT_BYTES) {
    const start = load<u32>(segment, SEGMENT_FROM);
    const end = load<u32>(segment, SEGMENT_TO);
    if (!touches(text, start, lane.length) && !touches(text, end, lane.length)) continue;
    const part = s.partLaneOf();
    if (changetype<usize>(part) == 0) {
      s.failed = true;
      return;
    }
    part.borrow(text + start, end - start);
    part.scan(true);
    if (part.failed || part.hitCount + hits.len / HIT_BYTES > HITS_MAX) {
      s.failed = true;
      return;
    }
    for (let i: u32 = 0; i < part.hitCount; i += 1) {
      const h = part.hit(i);
      const hitStart = start + load<u32>(h, 4);
      const hitEnd = start + load<u32>(h, 8);
      if (!isInPlaceholder(hits.ptr, from, placeholders, hitStart, hitEnd))
        noteHit(s, hits, load<u32>(h), hitStart, hitEnd, text + hitStart, message);
    }
  }
}

/** Whether no blank stands on either side of a place inside the text. */
function touches(text: usize, at: u32, length: u32): bool {
  return at > 0 && at < length && load<u8>(text + at - 1) > 0x20 && load<u8>(text + at) > 0x20;
}

/** One text of its own, from one record. */
export function scanAlone(s: Session, document: usize, record: usize, mode: u32, message: u32): void {
  openGroup(s, mode);
  addToGroup(s, document, record, mode, true);
  closeGroup(s, message);
}

/** The groups from `first` on, which were closed, are arguments of a call, by its position from 1. */
export function putInCall(s: Session, first: u32, position: u32): void {
  const groups = changetype<Bytes>(s.groups);
  for (let at = first; at < groups.len; at += GROUP_BYTES) {
    const g = groups.ptr + at;
    store<u32>(g, load<u32>(g, GROUP_MODE) | (position << CALL_SHIFT), GROUP_MODE);
  }
}

/**
 * Turns what was found into edits of the document, by the decision in `s.result`. False where a rule asks for an edit
 * that cannot be made.
 */
export function editTexts(s: Session, document: usize): bool {
  const groups = changetype<Bytes>(s.groups);
  const clusters = changetype<Bytes>(s.clusters);
  const segments = changetype<Bytes>(s.segments);
  const hits = changetype<Bytes>(s.hits);
  clearCutFixed();
  for (let at: u32 = 0; at < groups.len; at += GROUP_BYTES) {
    const g = groups.ptr + at;
    clusters.clear();
    buildClusters(
      clusters,
      hits.ptr + load<u32>(g, GROUP_HIT) * HIT_BYTES,
      load<u32>(g, GROUP_HITS),
      0xffffffff,
      <u32>load<u8>(g, GROUP_MODE) != MODE_TEXT,
      s.isReply,
      s.result,
      redactsAt(s.calls, load<u32>(g, GROUP_MODE) >> CALL_SHIFT),
      s.facts,
      s.valuesOf(),
      s.nonce,
      changetype<Bytes>(s.replacements),
    );
    let segment = segments.ptr + load<u32>(g) * SEGMENT_BYTES;
    const end = segment + load<u32>(g, GROUP_SEGMENTS) * SEGMENT_BYTES;
    let c: u32 = 0;
    for (; segment < end; segment += SEGMENT_BYTES)
      c = cutClusters(changetype<Bytes>(s.edits), document, segment, clusters, c, load<u32>(segment, SEGMENT_TO));
    if (clusters.failed) s.failed = true;
  }
  if (changetype<Bytes>(s.edits).failed || changetype<Bytes>(s.replacements).failed) s.failed = true;
  return !cutFixed;
}

/**
 * Whether something was found in a key or a number: what begins at `start` of the document, in its quotes. Nothing can
 * stand in its place, so no edit says it.
 */
export function isFoundAt(s: Session, start: u32): bool {
  const groups = changetype<Bytes>(s.groups);
  const segments = changetype<Bytes>(s.segments);
  let low: u32 = 0;
  let high = groups.len / GROUP_BYTES;
  while (low < high) {
    const middle = (low + high) >> 1;
    const segment = segments.ptr + load<u32>(groups.ptr + middle * GROUP_BYTES) * SEGMENT_BYTES;
    if (load<u32>(segment) == start) return true;
    if (load<u32>(segment) < start) low = middle + 1;
    else high = middle;
  }
  return false;
}

/** Forgets the edits that the decision before asked for: another one is to be read. */
export function clearEdits(s: Session): void {
  changetype<Bytes>(s.edits).clear();
  changetype<Bytes>(s.replacements).clear();
}

/**
 * Edits the segment, which is text up to `to` of the lane, by the clusters from position `c` on; answers the first one
 * that may reach beyond it.
 */
export function cutClusters(edits: Bytes, document: usize, segment: usize, clusters: Bytes, c: u32, to: u32): u32 {
  const from = load<u32>(segment, SEGMENT_FROM);
  const count = clusters.len / CLUSTER_BYTES;
  let next = c;
  for (let i = c; i < count; i += 1) {
    const cluster = clusters.ptr + i * CLUSTER_BYTES;
    if (load<u32>(cluster) >= to) break;
    if (load<u32>(cluster, CLUSTER_END) <= from) {
      next = i + 1;
      continue;
    }
    const placed = load<u32>(cluster, CLUSTER_PLACED) != 0;
    cutRange(
      edits,
      document,
      segment,
      load<u32>(cluster, CLUSTER_START),
      load<u32>(cluster, CLUSTER_END),
      load<u32>(cluster, CLUSTER_TEXT),
      placed ? 0 : load<u32>(cluster, CLUSTER_LENGTH),
    );
    store<u32>(cluster, 1, CLUSTER_PLACED);
    if (load<u32>(cluster, CLUSTER_END) <= to) next = i + 1;
  }
  return next;
}

/** Notes one value: who had it first, and that its detector found something. */
export function noteHit(s: Session, hits: Bytes, detector: u32, start: u32, end: u32, text: usize, message: u32): void {
  const values = s.valuesOf();
  let kind = HIT_NEW;
  if (s.isReply && values.inPrompt(detector, text, end - start)) kind = HIT_KNOWN;
  const value = values.intern(detector, text, end - start, s.isReply ? ORIGIN_REPLY : ORIGIN_PROMPT);
  if (value == NO_VALUE) {
    s.failed = true;
    return;
  }
  noteFound(s, detector, kind == HIT_NEW);
  if (message != NO_MESSAGE) noteInMessage(s, message, detector);
  pushHit(hits, start, end, detector, kind, value, message);
}

/** Sets the detector's bits among what was found. */
export function noteFound(s: Session, detector: u32, isNew: bool): void {
  const bit = bitOf(detector);
  if (detector < 64) {
    s.foundLow |= bit;
    if (isNew) s.newLow |= bit;
  } else {
    s.foundHigh |= bit;
    if (isNew) s.newHigh |= bit;
  }
}

/**
 * Notes the placeholders of this exchange in a reply's text, which begins at `base` of its lane; those inside a URL
 * stay. Answers where one may begin that is not complete yet, or the end.
 */
export function findPlaceholders(s: Session, hits: Bytes, text: usize, length: u32, base: u32): u32 {
  const values = s.valuesOf();
  if (!values.hasPlaceholders()) return base + length;
  const url = freshUrl();
  const end = text + length;
  let p = text;
  while (p < end) {
    const c = <u32>load<u8>(p);
    if (c == 0x5b) {
      const n = parsePlaceholder(p, end, s.nonce);
      if (n < 0) return base + <u32>(p - text);
      if (n > 0) {
        notePlaceholder(s, hits, values, base + <u32>(p - text), <u32>n, url.inside);
        p += n;
        continue;
      }
    }
    url.step(c);
    p += 1;
  }
  return base + length;
}

/** Notes one placeholder that was just parsed. */
export function notePlaceholder(s: Session, hits: Bytes, values: Values, at: u32, length: u32, inUrl: bool): void {
  const value = values.byNumber(parsedDetector, parsedNumber);
  if (value == NO_VALUE) return;
  noteFound(s, parsedDetector, false);
  if (!inUrl) pushHit(hits, at, at + length, parsedDetector, HIT_PLACEHOLDER, value, NO_MESSAGE);
}

const urlScratch: usize = memory.data(24, 8);

function freshUrl(): UrlState {
  memory.fill(urlScratch, 0, offsetof<UrlState>());
  return changetype<UrlState>(urlScratch);
}

export { MODE_ARGUMENTS, MODE_FIXED, MODE_TEXT };
