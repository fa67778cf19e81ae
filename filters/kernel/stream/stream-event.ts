/** The places of one event of a streamed reply: texts go to their lanes, the rest says how the reply goes on. */
import { Bytes } from '../bytes';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_ESCAPED,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_NODE,
  RECORD_START,
  recordAt,
} from '../json/walk';
import { skipSpace } from '../json/scan';
import { appendUnescaped } from '../json/unescape';
import * as P from '../protocol/places';
import { is } from '../http/literal';
import { keepText } from '../keep/keep-stream';
import { opensCall, scanValue, takeArguments } from '../session/reply';
import { beginInCall, endCalls, endInCall, nameCall, noteCall, readsCalls } from '../session/tool-calls';
import { decidesCalls } from '../decision/api';
import { noteParts } from './call-parts';
import { choiceOf, numberOf, rootIndex, toolNumber, toolOf } from './event-numbers';
import {
  appendSegmentText,
  MODE_ARGUMENTS,
  MODE_TEXT,
  SEGMENT_BYTES,
  SEGMENT_CHANNEL,
  SEGMENT_END,
  SEGMENT_ESCAPED,
  SEGMENT_FROM,
  SEGMENT_MODE,
  SEGMENT_STATE,
  SEGMENT_TO,
  stateAfter,
} from '../edit/segment';
import { Session } from '../session/session-state';
import { Channel, StreamEvent } from './stream-state';
import { around, takeFinish, takeUsage } from '../session/usage';
import { isListed } from '../edit/values-list';

/** Of choices, blocks and tool calls. What a server numbers higher cannot be read. */
const INDEX_MAX: i64 = (1 << 20) - 1;

/** Reads the event's records; false where there are too many lanes, a lane has no number, or memory is exhausted. */
export function readEvent(s: Session, e: StreamEvent): bool {
  const records = s.recordBytes();
  const document = e.document();
  const count = records.len / RECORD_BYTES;
  const top = rootIndex(s, document);
  let hasUsage = false;
  let hasText = false;
  let emptyChoices = false;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_TEXT || kind == P.PLACE_ARGUMENTS) {
      hasText = true;
      if (kind == P.PLACE_ARGUMENTS && !takePiece(s, document, i, top)) return false;
      if (!addText(s, e, i, kind == P.PLACE_ARGUMENTS ? MODE_ARGUMENTS : MODE_TEXT, top)) return false;
    } else if (kind == P.PLACE_USAGE) {
      hasUsage = true;
      takeUsage(s, document, i);
    } else if (kind == P.PLACE_CHOICE_INDEX || kind == P.PLACE_TOOL_INDEX) {
      // To a client it is one more lane; to us it must not be another's.
      if (!isIndex(numberOf(document, r))) return false;
    } else if (kind == P.PLACE_CHOICE_LIST) {
      if (load<u32>(r, RECORD_NEXT) == i + 1) emptyChoices = true;
    } else if (kind == P.PLACE_FINISH) {
      if (isListed(document, r)) takeFinish(s, document, r);
      else scanValue(s, document, r, P.PLACE_LOCAL);
    } else if (!s.streamOf().settled && readsCalls(s)) {
      readInCall(s, document, i, kind, top);
    } else scanValue(s, document, r, kind);
  }
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    const kind = <i32>load<u8>(r, RECORD_KIND);
    if (kind == P.PLACE_FINISH) {
      e.finishing = true;
      s.streamOf().ended = true;
      const choice = s.form == P.FORM_ANTHROPIC ? -1 : <i64>choiceOf(s, document, i, top);
      e.closes |= bitOf(choice);
      finish(s, choice);
    } else if (kind == P.PLACE_EVENT_TYPE) typed(s, e, document, r, top);
  }
  if (!noteParts(s, e, document, top)) return false;
  // Told with or after the reply's last words; where there are several choices, by the event that belongs to none.
  if (hasUsage && s.streamOf().ended && (emptyChoices || s.choices < 2)) s.usageIsFinal = true;
  // The usage event that we asked for, and the client did not.
  e.dropped = hasUsage && emptyChoices && !hasText && !s.asksUsage && s.form == P.FORM_OPENAI;
  return true;
}

/** A value that may be of a call of a tool: the fact `completion.tool_calls` wants its name, and what is found in it. */
function readInCall(s: Session, document: usize, i: u32, kind: i32, top: i64): void {
  const records = s.recordBytes();
  const r = recordAt(records, i);
  const isAnthropic = s.form == P.FORM_ANTHROPIC;
  const container = kind == P.PLACE_TOOL_CALL ? i : around(s, i, isAnthropic ? P.PLACE_CHOICE : P.PLACE_TOOL_CALL);
  const choice = isAnthropic ? top : choiceOf(s, document, i, top);
  if (container == NO_RECORD) return scanValue(s, document, r, kind);
  if (choice < 0) {
    // A call that is of no choice is one that nobody decides.
    if (kind == P.PLACE_TOOL_NAME || kind == P.PLACE_TOOL_CALL || opensCall(s, document, r, kind)) s.callsFailed = true;
    return scanValue(s, document, r, kind);
  }
  const tool = isAnthropic ? 0 : toolNumber(s, document, container);
  if (kind == P.PLACE_TOOL_CALL) noteCall(s, <u32>choice, tool);
  if (kind == P.PLACE_TOOL_NAME) nameCall(s, <u32>choice, tool, document, r);
  if (opensCall(s, document, r, kind)) noteCall(s, <u32>choice, tool);
  takeArguments(s, <u32>choice, tool, document, r, kind);
  beginInCall(s);
  scanValue(s, document, r, kind);
  endInCall(s, <u32>choice, tool, false);
}

/** A piece of a call's arguments; false where it is of no choice. */
function takePiece(s: Session, document: usize, i: u32, top: i64): bool {
  if (s.streamOf().settled || !decidesCalls()) return true;
  const choice = choiceOf(s, document, i, top);
  if (choice < 0) return false;
  const tool = s.form == P.FORM_ANTHROPIC ? 0 : toolOf(s, document, i);
  takeArguments(s, <u32>choice, tool, document, recordAt(s.recordBytes(), i), P.PLACE_ARGUMENTS);
  return true;
}

/** Appends a text to its lane. */
function addText(s: Session, e: StreamEvent, i: u32, mode: u32, top: i64): bool {
  const r = recordAt(s.recordBytes(), i);
  const document = e.document();
  const start = load<u32>(r, RECORD_START) + 1;
  const end = load<u32>(r, RECORD_END) - 1;
  if (start == end) return true;
  const field = <u32>load<u8>(<usize>load<u32>(r, RECORD_NODE), P.NODE_LANE);
  const choice = choiceOf(s, document, i, top);
  if (choice < 0) return false;
  const within = field == P.LANE_OTHER ? namedBy(s, document, i) : <i64>toolOf(s, document, i);
  if (within < 0) return false;
  const c = s.streamOf().channelOf(<u32>choice, field, <u32>within);
  if (changetype<usize>(c) == 0) return false;
  const segments = e.segmentBytes();
  // Text after the end of its choice belongs to no lane that a client reads.
  if (c.finished || !segments.reserve(SEGMENT_BYTES)) return false;
  const segment = segments.ptr + segments.len;
  memory.fill(segment, 0, SEGMENT_BYTES);
  store<u32>(segment, start);
  store<u32>(segment, end, SEGMENT_END);
  store<u8>(segment, <u8>mode, SEGMENT_MODE);
  store<u8>(segment, load<u8>(r, RECORD_ESCAPED), SEGMENT_ESCAPED);
  store<u32>(segment, c.state, SEGMENT_STATE);
  store<u32>(segment, <u32>changetype<usize>(c), SEGMENT_CHANNEL);
  segments.len += SEGMENT_BYTES;
  const lane = c.laneOf();
  store<u32>(segment, lane.length, SEGMENT_FROM);
  if (mode == MODE_ARGUMENTS || load<u8>(segment, SEGMENT_ESCAPED) != 0) {
    const text = changetype<Bytes>(s.text);
    text.clear();
    appendSegmentText(text, document, segment);
    if (text.failed) return false;
    lane.append(text.ptr, text.len);
    keepText(s, c, text.ptr, text.len);
    if (mode == MODE_ARGUMENTS) c.state = stateAfter;
  } else {
    lane.append(document + start, end - start);
    keepText(s, c, document + start, end - start);
  }
  store<u32>(segment, lane.length, SEGMENT_TO);
  c.touched = true;
  return !lane.failed;
}

/** Ends the lanes of a choice; of all, for -1. */
function finish(s: Session, choice: i64): void {
  if (!s.streamOf().settled) endCalls(s, choice);
  for (let c = s.streamOf().channels; c != 0; c = changetype<Channel>(c).next) {
    const channel = changetype<Channel>(c);
    if (channel.finished || (choice >= 0 && <i64>channel.choice != choice)) continue;
    channel.finished = true;
    channel.touched = true;
  }
}

/** A typed event (Anthropic): which block it opens or ends, and whether it is the last. */
function typed(s: Session, e: StreamEvent, document: usize, r: usize, top: i64): void {
  const stream = s.streamOf();
  const p = document + load<u32>(r, RECORD_START) + 1;
  const length = load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2;
  if (is(p, length, 'content_block_start')) {
    e.opens |= bitOf(top);
  } else if (is(p, length, 'content_block_stop')) {
    e.closes |= bitOf(top);
    e.finishing = true;
    finish(s, top);
  } else if (is(p, length, 'message_stop')) {
    e.finishing = true;
    stream.done = true;
    finish(s, -1);
  }
}

function bitOf(index: i64): u64 {
  return index >= 0 && index < 64 ? (<u64>1) << (<u64>index) : 0;
}

/**
 * The number of the unknown field that the text is the value of; 0 where the protocol knows the field, -1 where there
 * are too many. Two fields of one event are two texts: one joined to the other would hide it.
 */
function namedBy(s: Session, document: usize, i: u32): i64 {
  if (i == 0) return 0;
  const value = document + load<u32>(recordAt(s.recordBytes(), i), RECORD_START);
  const key = recordAt(s.recordBytes(), i - 1);
  if (<i32>load<u8>(key, RECORD_KIND) != P.PLACE_KEY) return 0;
  const from = document + load<u32>(key, RECORD_START) + 1;
  const to = document + load<u32>(key, RECORD_END) - 1;
  const colon = skipSpace(to + 1, value);
  // The value of another key has no record: a number, perhaps.
  if (colon >= value || load<u8>(colon) != 0x3a || skipSpace(colon + 1, value) != value) return 0;
  const around = load<u32>(key, RECORD_NODE);
  const stream = s.streamOf();
  if (load<u8>(key, RECORD_ESCAPED) == 0) return named(stream.nameOf(around, from, <u32>(to - from)));
  const text = changetype<Bytes>(s.text);
  text.clear();
  appendUnescaped(text, from, to);
  return text.failed ? -1 : named(stream.nameOf(around, text.ptr, text.len));
}

function named(number: u32): i64 {
  return number == 0 ? -1 : <i64>number;
}

function isIndex(n: i64): bool {
  return n >= 0 && n <= INDEX_MAX;
}
