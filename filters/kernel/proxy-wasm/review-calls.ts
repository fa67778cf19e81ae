/**
 * A held request asks the queue of reviews, through the sidecar (proto/writ/v1/filter_reviews.proto), and waits. Without
 * an answer in time it is refused.
 */
import { REVIEW_UNREACHABLE } from '../abi';
import { free } from '../memory';
import { session_review } from '../session';
import { beginWait, CALL_REVIEW, Exchange, SIDE_REQUEST } from './exchanges';
import { BUFFER_MESSAGE, detach, takeBuffer } from './host';
import { sendToSidecar, sidecarToken } from './sidecar-call';

/** The sidecar asks the control plane, and once more where the answer was lost. */
const WAIT_MS_MAX: u32 = 6_000;
/** A Ruling is never longer. */
const RULING_BYTES_MAX: u32 = 64;
const SERVICE: string = 'writ.v1.FilterReviews';
const METHOD: string = 'Ask';
const FIELD_STATE: u64 = 0x08;
const FIELD_TICKET: u64 = 0x12;
const FIELD_SECONDS: u64 = 0x18;

let at: usize = 0;
let end: usize = 0;
let broken: bool = false;

/** Whether the exchange waits for an answer. */
export function askQueue(e: Exchange): bool {
  const review = e.sessionOf().out().reviewRun();
  if (!sendToSidecar(SERVICE, METHOD, review.ptr, review.len, WAIT_MS_MAX)) return false;
  beginWait(e, sidecarToken, SIDE_REQUEST, CALL_REVIEW);
  return true;
}

/** What the session says when nobody answered. */
export function unanswered(e: Exchange): i32 {
  return session_review(e.session, REVIEW_UNREACHABLE, 0, 0, 0);
}

/** What the session says to the Ruling, of so many bytes, that has come. */
export function takeRuling(e: Exchange, bytes: u32): i32 {
  if (bytes > RULING_BYTES_MAX || !takeBuffer(BUFFER_MESSAGE, bytes)) return unanswered(e);
  const block = detach();
  at = block;
  end = block + bytes;
  broken = false;
  let state: u32 = REVIEW_UNREACHABLE;
  let ticket: usize = 0;
  let ticketBytes: u32 = 0;
  let seconds: u32 = 0;
  while (at < end && !broken) {
    const tag = varint();
    if (tag == FIELD_STATE) state = <u32>varint();
    else if (tag == FIELD_SECONDS) seconds = <u32>varint();
    else if (tag == FIELD_TICKET) {
      ticketBytes = <u32>varint();
      ticket = at;
      if (ticketBytes > <u32>(end - at)) broken = true;
      else at += ticketBytes;
    } else broken = true;
  }
  const action = broken ? unanswered(e) : session_review(e.session, state, ticket, ticketBytes, seconds);
  free(block);
  return action;
}

function varint(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 35; shift += 7) {
    if (at >= end) break;
    const byte = <u64>load<u8>(at);
    at += 1;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  broken = true;
  return 0;
}
