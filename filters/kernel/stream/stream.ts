/**
 * A streamed reply, event by event. Each event's texts are appended to their lanes and scanned; the policy decides
 * whenever something new was found; events leave in order as soon as all their text is settled. What leaves does not
 * depend on how the bytes came.
 */
import { ACTION_CONTINUE, ACTION_HOLD, EVENT_COMPLETION } from '../abi';
import { Bytes } from '../bytes';
import { isAllowed, needsBuffer } from '../decision/api';
import { walk, WALK_OK } from '../json/walk';
import { ENDPOINT_STREAM, FORM_ANTHROPIC } from '../protocol/places';
import { settle } from '../session/budget';
import { forgetSettled, holdBefore, scanChannel, settleChannel } from './channel';
import { deny, denyByPolicy, denyFixed, messageOf } from '../session/denial';
import { renderReason } from '../decision/api';
import { protocolSection, rootOf } from '../http/endpoint';
import { putRemovals } from '../http/forwarded-headers';
import { is, put } from '../http/literal';
import { keepStream } from '../keep/keep-stream';
import { decideQuietly, recordDecision } from '../session/record';
import { appendRefusal } from '../session/refusal';
import { setFound } from '../prompt/messages';
import { releaseAll, releaseBefore } from './release';
import {
  CALLS_DENIED,
  CALLS_FIXED,
  CALLS_PASS,
  CALLS_UNREADABLE,
  judgeCalls,
  UNREADABLE_CALL,
} from '../session/judge-calls';
import { governCalls, setReplyFacts } from '../session/reply';
import { PHASE_DONE, Session } from '../session/session-state';
import {
  appendNames,
  eventBytes,
  findData,
  hasKnownLines,
  hasMoreThanNames,
  hasPlainNames,
  searchedLine,
  searchedTo,
} from './sse';
import { readEvent } from './stream-event';
import { Channel, Stream, StreamEvent } from './stream-state';
import { clearTexts, editTexts } from '../edit/texts';
import { BODY_BYTES_MAX } from '../session/request-phase';

/** Values of one event: places that mean something. */
export const EVENT_RECORDS_MAX: u32 = 4_096;

export function beginStream(s: Session): bool {
  const stream = Stream.create();
  if (changetype<usize>(stream) == 0) return false;
  s.stream = changetype<usize>(stream);
  s.bodyBytes().clear();
  setFound(s);
  decideQuietly(s, EVENT_COMPLETION, 0);
  stream.buffered = needsBuffer(s.result);
  stream.open = openAtFirst(s);
  return true;
}

/** All choices that were asked for; blocks open one by one. */
function openAtFirst(s: Session): u64 {
  if (s.form == FORM_ANTHROPIC) return 0;
  return s.choices >= 64 ? <u64>-1 : ((<u64>1) << (<u64>s.choices)) - 1;
}

/** Takes bytes of the stream. */
export function onStreamBytes(s: Session, ptr: usize, length: u32): i32 {
  const stream = s.streamOf();
  s.out().bodyMode = 1;
  if (stream.done) return ACTION_CONTINUE;
  const pending = stream.pendingBytes();
  if (<u64>pending.len + <u64>length > <u64>BODY_BYTES_MAX)
    return refuse(s, "the upstream's reply has an event that is larger than this gateway reads");
  pending.append(ptr, length);
  if (pending.failed) return refuse(s, 'this gateway has no memory left for the reply');
  if (stream.buffered) return ACTION_HOLD;
  return readEvents(s, false);
}

/** The stream has ended. */
export function onStreamEnd(s: Session): i32 {
  const stream = s.streamOf();
  s.out().bodyMode = 1;
  if (stream.buffered) return onBufferedEnd(s);
  if (!stream.done) {
    readEvents(s, true);
    if (s.phase == PHASE_DONE) return ACTION_CONTINUE;
  }
  return close(s);
}

/** The whole stream is here: it is read once to be decided, and once more to be edited. */
function onBufferedEnd(s: Session): i32 {
  const stream = s.streamOf();
  const pending = stream.pendingBytes();
  const bytes = pending.len;
  stream.gathering = true;
  readEvents(s, true);
  if (stream.refused) return refusedWhole(s);
  finishAll(s);
  if (s.failed) return deny(s, 502, "the upstream's reply holds more values than this gateway reads");
  setReplyFacts(s);
  decideQuietly(s, EVENT_COMPLETION, 0);
  recordDecision(s);
  keepStream(s);
  s.usageIsFinal = s.usageIsFinal || stream.done;
  settle(s, false);
  if (!isAllowed(s.result)) return denyByPolicy(s, 403);
  const calls = governCalls(s);
  if (calls == CALLS_DENIED) return denyByPolicy(s, 403);
  if (calls == CALLS_UNREADABLE) return deny(s, 502, UNREADABLE_CALL);
  if (calls == CALLS_FIXED) return denyFixed(s);
  stream.drop();
  stream.gathering = false;
  stream.settled = true;
  stream.done = false;
  stream.open = openAtFirst(s);
  stream.searched = 0;
  stream.searchedLine = 0;
  pending.len = bytes;
  s.textBytes = 0;
  readEvents(s, true);
  if (!stream.refused && s.phase != PHASE_DONE) close(s);
  putRemovals(s);
  return stream.refused ? refusedWhole(s) : ACTION_CONTINUE;
}

/**
 * A reply that is held was refused while it was read or edited: nothing of it has left, so the answer is a plain error.
 */
function refusedWhole(s: Session): i32 {
  s.out().bodyRun().clear();
  s.out().bodyMode = 0;
  return s.streamOf().unedited
    ? denyFixed(s)
    : deny(s, 502, "the upstream's reply cannot be read, or holds more than this gateway reads");
}

/** Nothing more comes: all that is left leaves. */
function close(s: Session): i32 {
  const stream = s.streamOf();
  const low = s.foundLow;
  const high = s.foundHigh;
  finishAll(s);
  if (!stream.settled) {
    const calls = governCalls(s);
    if (calls != CALLS_PASS) return refuseCalls(s, calls);
  }
  if (!stream.settled && !decideAgain(s)) {
    for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next)
      holdBefore(s, changetype<Channel>(c), s.foundLow & ~low, s.foundHigh & ~high);
    return refuseByPolicy(s);
  }
  if (!releaseAll(s)) return refuseFixed(s);
  if (s.failed) return refuse(s, 'the reply holds more values than this gateway reads');
  if (!stream.settled) {
    setReplyFacts(s);
    recordDecision(s);
    keepStream(s);
  }
  s.usageIsFinal = s.usageIsFinal || stream.done;
  settle(s, false);
  s.phase = PHASE_DONE;
  return ACTION_CONTINUE;
}

/** Reads every complete event; at the end, what is left counts as one. */
function readEvents(s: Session, final: bool): i32 {
  const stream = s.streamOf();
  const pending = stream.pendingBytes();
  let at: u32 = 0;
  while (at < pending.len && s.phase != PHASE_DONE && !stream.done) {
    const p = pending.ptr + at;
    const end = pending.ptr + pending.len;
    let bytes = eventBytes(p, end, final, stream.searched, stream.searchedLine);
    if (bytes == 0) {
      if (!final) {
        stream.searched = searchedTo;
        stream.searchedLine = searchedLine;
        break;
      }
      bytes = pending.len - at;
      stream.unclosed = true;
    }
    stream.searched = 0;
    stream.searchedLine = 0;
    onEvent(s, p, bytes);
    at += bytes;
  }
  if (stream.gathering) return ACTION_CONTINUE;
  if (stream.done || s.phase == PHASE_DONE) at = pending.len;
  memory.copy(pending.ptr, pending.ptr + at, pending.len - at);
  pending.len -= at;
  return ACTION_CONTINUE;
}

/** One complete event. */
function onEvent(s: Session, p: usize, bytes: u32): void {
  const stream = s.streamOf();
  const e = StreamEvent.create(p, bytes);
  if (changetype<usize>(e) == 0 || !findData(e)) {
    if (changetype<usize>(e) != 0) e.destroy();
    refuse(s, 'this gateway has no memory left for the reply');
    return;
  }
  if (!hasKnownLines(e.rawBytes())) {
    e.destroy();
    refuse(s, "the upstream's reply cannot be read");
    return;
  }
  clearTexts(s);
  if (!readOtherLines(s, e)) {
    e.destroy();
    refuse(s, 'the reply holds more values than this gateway reads');
    return;
  }
  if (e.length == 0) return queue(s, e);
  if (e.joined == 0 && is(e.document(), e.length, '[DONE]')) {
    stream.done = true;
    return queue(s, e);
  }
  const records = s.recordBytes();
  records.clear();
  const code = walk(e.document(), e.length, protocolSection(), rootOf(s.endpoint, ENDPOINT_STREAM), records);
  if (code != WALK_OK || records.len / 32 > EVENT_RECORDS_MAX) {
    e.destroy();
    refuse(s, "the upstream's reply cannot be read");
    return;
  }
  const low = s.foundLow;
  const high = s.foundHigh;
  if (!readEvent(s, e) || s.failed) {
    e.destroy();
    refuse(s, "the upstream's reply cannot be read, or holds more than this gateway reads");
    return;
  }
  for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next) {
    const channel = changetype<Channel>(c);
    if (channel.touched) {
      scanChannel(s, channel);
      if (stream.gathering) forgetSettled(channel);
    }
    channel.touched = false;
  }
  if (stream.gathering) {
    e.destroy();
    return;
  }
  if (!stream.settled && e.finishing) {
    const calls = judgeCalls(s);
    if (calls != CALLS_PASS) {
      e.destroy();
      refuseCalls(s, calls);
      return;
    }
  }
  if (!stream.settled && !decideAgain(s)) {
    // What was found in a text that is complete in itself cannot be cut: the event does not leave at all.
    if (changetype<Bytes>(s.groups).len > 0) e.destroy();
    else stream.push(e);
    for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next)
      holdBefore(s, changetype<Channel>(c), s.foundLow & ~low, s.foundHigh & ~high);
    refuseByPolicy(s);
    return;
  }
  if (!editTexts(s, e.document())) {
    e.destroy();
    refuseFixed(s);
    return;
  }
  const edits = changetype<Bytes>(s.edits);
  e.editBytes().append(edits.ptr, edits.len);
  queue(s, e);
}

/** Queues the event, and lets go what is settled. */
function queue(s: Session, e: StreamEvent): void {
  const stream = s.streamOf();
  if (stream.gathering) {
    e.destroy();
    return;
  }
  stream.push(e);
  if (s.failed) {
    refuse(s, 'the reply holds more values than this gateway reads');
    return;
  }
  if (stream.done) {
    close(s);
    return;
  }
  for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next) settleChannel(s, changetype<Channel>(c));
  if (!releaseBefore(s, false)) refuseFixed(s);
  else if (s.failed) refuse(s, 'the reply waits longer than this gateway holds it');
}

/**
 * Comments, ids and times to wait may hold text, in one event or in pieces over many, and no client of these protocols
 * reads them: they stay here. An event's name goes on if it is a word, and nothing is found in it.
 */
function readOtherLines(s: Session, e: StreamEvent): bool {
  const raw = e.rawBytes();
  e.bare = hasMoreThanNames(raw);
  const names = changetype<Bytes>(s.text);
  names.clear();
  appendNames(names, raw);
  if (names.len == 0) return !names.failed;
  e.nameless = !hasPlainNames(raw) || holdsValue(s, names);
  if (e.nameless) e.bare = true;
  return !s.failed && !names.failed;
}

function holdsValue(s: Session, text: Bytes): bool {
  const lane = s.laneOf();
  lane.clear();
  lane.append(text.ptr, text.len);
  lane.scan(true);
  if (lane.failed) s.failed = true;
  return lane.hitCount > 0;
}

/** Decides again where something was found that was not known before. */
function decideAgain(s: Session): bool {
  setFound(s);
  decideQuietly(s, EVENT_COMPLETION, 0);
  return isAllowed(s.result);
}

function finishAll(s: Session): void {
  const stream = s.streamOf();
  for (let c = stream.channels; c != 0; c = changetype<Channel>(c).next) {
    const channel = changetype<Channel>(c);
    if (!channel.finished) {
      channel.finished = true;
      scanChannel(s, channel);
    }
  }
}

function refuseByPolicy(s: Session): i32 {
  const message = messageOf(s);
  renderReason(s.result, message);
  recordDecision(s);
  return end(s, message);
}

/** A call is denied, and its decision recorded; or it cannot be read. */
function refuseCalls(s: Session, calls: i32): i32 {
  if (calls == CALLS_UNREADABLE) return refuse(s, UNREADABLE_CALL);
  if (calls == CALLS_FIXED) return refuseFixed(s);
  const message = messageOf(s);
  renderReason(s.result, message);
  return end(s, message);
}

function refuseFixed(s: Session): i32 {
  s.streamOf().unedited = true;
  const message = messageOf(s);
  put(message, 'a value that a rule redacts stands where nothing can be redacted');
  return end(s, message);
}

function refuse(s: Session, text: string): i32 {
  const message = messageOf(s);
  put(message, text);
  return end(s, message);
}

/** Ends the stream in mid-way: what is settled leaves, then the protocol's own last words; the rest is swallowed. */
function end(s: Session, message: Bytes): i32 {
  const stream = s.streamOf();
  s.phase = PHASE_DONE;
  stream.refused = true;
  keepStream(s);
  settle(s, false);
  if (stream.gathering || stream.buffered) return ACTION_CONTINUE;
  const kept = Bytes.create();
  if (changetype<usize>(kept) == 0) return ACTION_CONTINUE;
  kept.append(message.ptr, message.len);
  releaseBefore(s, true);
  if (stream.unclosed) put(s.out().bodyRun(), '\n\n');
  appendRefusal(s, kept);
  kept.destroy();
  stream.drop();
  stream.pendingBytes().clear();
  return ACTION_CONTINUE;
}
