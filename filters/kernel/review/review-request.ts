/**
 * What the queue of reviews is asked: may this request pass? It is named by what it is bound to: who calls, the body as
 * it came, the chosen model, the policy's source, and the rules that hold it. Whoever changes one of these asks about
 * another request. The encoded message is `writ.v1.HeldRequest`; nothing in it is text that was not masked but the
 * caller's id.
 */
import { ACTION_REVIEW, T_REVIEW } from '../abi';
import { Bytes } from '../bytes';
import { modelRecord } from '../decision/api';
import {
  HOLD_APPROVALS,
  HOLD_BYTES,
  HOLD_GROUP,
  HOLD_MILLISECONDS,
  HOLD_NODE,
  HOLD_REVIEWERS,
  HOLD_RULE,
  MODEL_NAME,
  RESULT_SITE,
  SITE_AT_FIRED,
  SITE_HOLDS,
} from '../decision/layout';
import { isSameHold, isSet } from '../decision/render';
import { section } from '../decision/tables';
import { addToHash, beginHash, endHash, sha256 } from '../http/sha256';
import { putField, putRun } from '../protobuf';
import { deny, denyExhausted } from '../session/denial';
import { PHASE_REVIEW, Session } from '../session/session-state';
import { copyIsCut, writeCopy } from './review-copy';
import { TICKET_BYTES } from './ticket';

// Fields of HeldRequest, and of a Hold in it.
const FIELD_BINDING: u32 = 0x0a;
const FIELD_TICKET: u32 = 0x12;
const FIELD_EXCHANGE: u32 = 0x1a;
const FIELD_CALLER: u32 = 0x22;
const FIELD_CALLER_ID: u32 = 0x2a;
const FIELD_MODEL: u32 = 0x32;
const FIELD_HOLD: u32 = 0x3a;
const FIELD_MESSAGES: u32 = 0x42;
const FIELD_CUT: u32 = 0x48;
const FIELD_RULE: u32 = 0x0a;
const FIELD_REVIEWERS: u32 = 0x12;
const FIELD_GROUP: u32 = 0x1a;
const FIELD_APPROVALS: u32 = 0x20;
const FIELD_MILLISECONDS: u32 = 0x28;

const HASH_BYTES: u32 = 32;
/** What an exchange is called beyond this gateway: nothing of the nonce is in it. */
const EXCHANGE_BYTES: u32 = 16;
const digest: usize = memory.data(32, 8);
const number: usize = memory.data(8, 8);
/** Of another kind than every other hash of ours. */
const KIND: usize = memory.data<u8>([0x77, 0x72, 0x69, 0x74, 0x20, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x20, 0x31]);
const KIND_BYTES: u32 = 13;

/** The decision is to hold: the host asks the queue, and `session_review` says what it answered. */
export function askReview(s: Session): i32 {
  // Two whom a token does not tell apart must not use each other's tickets, and who has no id could be their own reviewer.
  if (s.callerBytes == 0 || s.callerIdBytes == 0)
    return deny(s, 403, 'a rule holds this for review, and the caller has no subject that a review could be bound to');
  const out = s.out().reviewRun();
  out.clear();
  bind(s);
  putRun(out, FIELD_BINDING, digest, HASH_BYTES);
  if (s.ticket != 0) putRun(out, FIELD_TICKET, s.ticket, TICKET_BYTES);
  nameExchange(s);
  putRun(out, FIELD_EXCHANGE, digest, EXCHANGE_BYTES);
  beginHash();
  addToHash(s.caller, s.callerBytes);
  endHash(digest);
  putRun(out, FIELD_CALLER, digest, HASH_BYTES);
  putRun(out, FIELD_CALLER_ID, s.callerId, s.callerIdBytes);
  const model = modelRecord(s.chosen) + MODEL_NAME;
  putRun(out, FIELD_MODEL, <usize>load<u32>(model), load<u32>(model, 4));
  const copy = Bytes.create();
  const hold = Bytes.create();
  const isWhole =
    changetype<usize>(copy) != 0 &&
    changetype<usize>(hold) != 0 &&
    putHolds(s.result, out, hold) &&
    (s.ticket != 0 || writeCopy(s, copy));
  // Whoever has a ticket has told before.
  if (isWhole && s.ticket == 0) {
    putRun(out, FIELD_MESSAGES, copy.ptr, copy.len);
    putField(out, FIELD_CUT, copyIsCut ? 1 : 0);
  }
  if (changetype<usize>(copy) != 0) copy.destroy();
  if (changetype<usize>(hold) != 0) hold.destroy();
  if (!isWhole || out.failed) return denyExhausted(s);
  s.phase = PHASE_REVIEW;
  return ACTION_REVIEW;
}

/** Every part with its length before it, so that no two lists of parts read alike. */
function bind(s: Session): void {
  beginHash();
  const body = s.bodyBytes();
  addToHash(body.ptr, body.len);
  endHash(digest);
  beginHash();
  addPart(KIND, KIND_BYTES);
  addPart(s.caller, s.callerBytes);
  addPart(digest, HASH_BYTES);
  addText(modelRecord(s.chosen) + MODEL_NAME);
  addText(section(T_REVIEW));
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const fired = s.result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_HOLDS + 4);
  for (let i: u32 = 0; i < count; i += 1) {
    const hold = <usize>load<u32>(site, SITE_HOLDS) + i * HOLD_BYTES;
    if (isSet(fired, load<u32>(hold, HOLD_NODE))) addText(hold + HOLD_RULE);
  }
  endHash(digest);
}

function addText(place: usize): void {
  addPart(<usize>load<u32>(place), load<u32>(place, 4));
}

function addPart(p: usize, length: u32): void {
  store<u32>(number, length);
  addToHash(number, 4);
  addToHash(p, length);
}

/** The same for every question of one exchange, and for no other. */
function nameExchange(s: Session): void {
  const parts = changetype<Bytes>(s.text);
  parts.clear();
  parts.append(digest, HASH_BYTES);
  store<u64>(number, s.nonce);
  parts.append(number, 8);
  store<u64>(number, <u64>s.now);
  parts.append(number, 8);
  sha256(parts.ptr, parts.len, digest);
  parts.clear();
}

function putHolds(result: usize, out: Bytes, hold: Bytes): bool {
  const site = <usize>load<u32>(result, RESULT_SITE);
  const fired = result + load<u32>(site, SITE_AT_FIRED);
  const count = load<u32>(site, SITE_HOLDS + 4);
  let last: usize = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    const entry = <usize>load<u32>(site, SITE_HOLDS) + i * HOLD_BYTES;
    if (!isSet(fired, load<u32>(entry, HOLD_NODE)) || (last != 0 && isSameHold(last, entry))) continue;
    last = entry;
    hold.clear();
    putText(hold, FIELD_RULE, entry + HOLD_RULE);
    putText(hold, FIELD_REVIEWERS, entry + HOLD_REVIEWERS);
    putText(hold, FIELD_GROUP, entry + HOLD_GROUP);
    putField(hold, FIELD_APPROVALS, load<u32>(entry, HOLD_APPROVALS));
    putField(hold, FIELD_MILLISECONDS, load<u64>(entry, HOLD_MILLISECONDS));
    putRun(out, FIELD_HOLD, hold.ptr, hold.len);
  }
  return !hold.failed;
}

function putText(out: Bytes, tag: u32, place: usize): void {
  putRun(out, tag, <usize>load<u32>(place), load<u32>(place, 4));
}
