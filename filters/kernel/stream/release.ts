/** Letting events go: in order, edited, and never before all their text is settled. */
import { Bytes } from '../bytes';
import { splice } from '../edit/edits';
import {
  clearCutFixed,
  cutFixed,
  cutRange,
  MODE_TEXT,
  SEGMENT_BYTES,
  SEGMENT_CHANNEL,
  SEGMENT_FROM,
  SEGMENT_MODE,
  SEGMENT_OPEN,
  SEGMENT_TO,
} from '../edit/segment';
import { settleChannel } from './channel';
import { Session } from '../session/session-state';
import { appendNames } from './sse';
import { editParts, isDropped, isInDropped, waitsForCalls } from './call-parts';
import {
  Channel,
  HELD_BYTES_MAX,
  HELD_CALL_BYTES_MAX,
  HELD_CALL_EVENTS_MAX,
  HELD_EVENTS_MAX,
  Stream,
  StreamEvent,
} from './stream-state';
import { cutClusters } from '../edit/texts';
import { put } from '../http/literal';

/** Everything leaves. False where a rule asks for an edit that cannot be made. */
export function releaseAll(s: Session): bool {
  const stream = s.streamOf();
  for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next) settleChannel(s, changetype<Channel>(c));
  return releaseBefore(s, false);
}

/**
 * What is settled leaves. With `cut` it is the last time: of the first event that stays, the text before its hold
 * leaves, too. Sets `s.failed` where more waits than may.
 */
export function releaseBefore(s: Session, cut: bool): bool {
  const stream = s.streamOf();
  while (stream.head != 0) {
    const e = changetype<StreamEvent>(stream.head);
    if (!isSettled(s, e)) break;
    if (!emit(s, stream.shift())) return false;
  }
  if (cut) {
    if (stream.head != 0) emitBeginning(s, changetype<StreamEvent>(stream.head));
    return true;
  }
  if (isOver(s, stream)) {
    if (!overtake(s)) return false;
    if (isOver(s, stream)) s.failed = true;
  }
  return true;
}

function isOver(s: Session, stream: Stream): bool {
  if (stream.head != 0 && waitsForCalls(s, changetype<StreamEvent>(stream.head)))
    return stream.heldEvents > HELD_CALL_EVENTS_MAX || stream.heldBytes > HELD_CALL_BYTES_MAX;
  return stream.heldEvents > HELD_EVENTS_MAX || stream.heldBytes > HELD_BYTES_MAX;
}

/** Lanes that do not wait pass those that do: within a lane the order stays. */
function overtake(s: Session): bool {
  const stream = s.streamOf();
  for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next) changetype<Channel>(c).blocked = false;
  let before = stream.head;
  // What waits for a call is not passed: blocks open and end in order.
  if (before == 0 || changetype<StreamEvent>(before).parts != 0) return true;
  block(changetype<StreamEvent>(before));
  while (changetype<StreamEvent>(before).next != 0) {
    const e = changetype<StreamEvent>(changetype<StreamEvent>(before).next);
    if (e.segmentBytes().len > 0 && !e.finishing && e.parts == 0 && isSettled(s, e) && !isBlocked(e)) {
      if (!emit(s, stream.takeAfter(before))) return false;
      continue;
    }
    block(e);
    before = changetype<usize>(e);
  }
  return true;
}

function isSettled(s: Session, e: StreamEvent): bool {
  if (waitsForCalls(s, e)) return false;
  const segments = e.segmentBytes();
  for (let at: u32 = 0; at < segments.len; at += SEGMENT_BYTES) {
    const segment = segments.ptr + at;
    const hold = channelOf(segment).hold;
    if (hold == 0xffffffff) continue;
    if (load<u32>(segment, SEGMENT_TO) + <u32>load<u8>(segment, SEGMENT_OPEN) > hold) return false;
  }
  return true;
}

function block(e: StreamEvent): void {
  const segments = e.segmentBytes();
  for (let at: u32 = 0; at < segments.len; at += SEGMENT_BYTES) channelOf(segments.ptr + at).blocked = true;
}

function isBlocked(e: StreamEvent): bool {
  const segments = e.segmentBytes();
  for (let at: u32 = 0; at < segments.len; at += SEGMENT_BYTES) if (channelOf(segments.ptr + at).blocked) return true;
  return false;
}

/** Writes the event, edited, and frees it. */
function emit(s: Session, e: StreamEvent): bool {
  if (isDropped(s, e)) {
    e.destroy();
    return true;
  }
  clearCutFixed();
  const segments = e.segmentBytes();
  for (let at: u32 = 0; at < segments.len; at += SEGMENT_BYTES) {
    const segment = segments.ptr + at;
    const c = channelOf(segment);
    if (isInDropped(s, e, load<u32>(segment))) continue;
    c.cluster = cutClusters(
      e.editBytes(),
      e.document(),
      segment,
      c.clusterBytes(),
      c.cluster,
      load<u32>(segment, SEGMENT_TO) + <u32>load<u8>(segment, SEGMENT_OPEN),
    );
  }
  const says = editParts(s, e);
  const editable = !cutFixed && !e.editBytes().failed;
  if (editable && !e.dropped && says) {
    write(s, e);
    const stream = s.streamOf();
    stream.open = (stream.open | e.opens) & ~e.closes;
  }
  e.destroy();
  return editable;
}

/**
 * Writes the part of the event's text that is settled: the stream ends here. Only of plain text, and of events that end
 * nothing.
 */
function emitBeginning(s: Session, e: StreamEvent): void {
  const segments = e.segmentBytes();
  if (e.finishing || e.dropped || e.parts != 0 || segments.len == 0) return;
  let some = false;
  clearCutFixed();
  for (let at: u32 = 0; at < segments.len; at += SEGMENT_BYTES) {
    const segment = segments.ptr + at;
    const c = channelOf(segment);
    if (<u32>load<u8>(segment, SEGMENT_MODE) != MODE_TEXT) return;
    const from = load<u32>(segment, SEGMENT_FROM);
    const to = load<u32>(segment, SEGMENT_TO);
    const settled = c.hold < to ? c.hold : to;
    if (settled > from) some = true;
    c.cluster = cutClusters(e.editBytes(), e.document(), segment, c.clusterBytes(), c.cluster, settled);
    if (settled < to) cutRange(e.editBytes(), e.document(), segment, settled > from ? settled : from, to, 0, 0);
  }
  if (some && !cutFixed && !e.editBytes().failed) write(s, e);
}

function write(s: Session, e: StreamEvent): void {
  const out = s.out().bodyRun();
  const raw = e.rawBytes();
  const edits = e.editBytes();
  const replacements = changetype<Bytes>(s.replacements);
  if (edits.len == 0 && !e.bare) return out.append(raw.ptr, raw.len);
  if (e.joined == 0 && !e.bare) {
    out.append(raw.ptr, e.start);
    splice(out, raw.ptr + e.start, e.length, edits, replacements);
    return out.append(raw.ptr + e.start + e.length, raw.len - e.start - e.length);
  }
  const before = out.len;
  if (!e.nameless) appendNames(out, raw);
  if (e.length > 0) {
    put(out, 'data: ');
    const from = out.len;
    splice(out, e.document(), e.length, edits, replacements);
    // Between the tokens of JSON a line's end is a space.
    for (let i = from; i < out.len; i += 1)
      if (load<u8>(out.ptr + i) == 0x0a || load<u8>(out.ptr + i) == 0x0d) store<u8>(out.ptr + i, 0x20);
    out.push(0x0a);
  }
  // What said nothing but that the server is still there says that, still.
  if (out.len == before) put(out, ':\n');
  out.push(0x0a);
}

function channelOf(segment: usize): Channel {
  return changetype<Channel>(<usize>load<u32>(segment, SEGMENT_CHANNEL));
}
