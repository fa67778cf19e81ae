/**
 * The kernel's exports: what a host drives one HTTP exchange with. Each session_* answers an ACTION (abi.ts); what it
 * says beside that stands in the session's output (session/output.ts). A handle is the session's address; 0 is none,
 * and every call on it answers a refusal.
 */
import { ACTION_CONTINUE, ACTION_HOLD, ACTION_REPLY, REVIEW_APPROVED, T_BUDGETS } from './abi';
import { budgetCount, budgetRecord, storeRecord } from './decision/api';
import { BUDGET_NAME, STORE_NAME } from './decision/layout';
import { section } from './decision/tables';
import { maskedForWant, takeKey, wantsKey } from './edit/policy-key';
import { drawExchange, writeKept } from './keep/keeps';
import { keepStream } from './keep/keep-stream';
import { alloc, bytesInUse, free } from './memory';
import { takeFeed } from './feeds/feeds';
import { hasAccounts } from './session/accounts';
import { chargedOf, settle, takeLevels } from './session/budget';
import { decideExchange } from './session/exchange';
import { decideDocument, scanDocument } from './session/documents';
import { refuseSpend } from './session/refuse-spend';
import { decidePrompt, goOnRecorded, releasePrompt } from './prompt/prompt';
import { answerUnreviewed } from './review/review-answer';
import { answerCall } from './retrieval/retrieval';
import { onRequestBody, onRequestEnd, onRequestHeaders } from './session/request-phase';
import { onResponseBody, onResponseEnd, onResponseHeaders } from './session/response-phase';
import { identify, IDENTITY_BYTES_MAX } from './http/identity';
import {
  freeSession,
  newSession,
  PHASE_CALL,
  PHASE_DONE,
  PHASE_LEVELS,
  PHASE_NEW,
  PHASE_RECORD,
  PHASE_REQUEST,
  PHASE_REVIEW,
  Session,
} from './session/session-state';

export function writ_alloc(size: u32): usize {
  return alloc(size);
}

export function writ_free(p: usize): void {
  free(p);
}

/** Bytes handed out and not given back: what a soak test watches. */
export function writ_bytes_in_use(): u32 {
  return bytesInUse;
}

/** A session, or 0 when memory is exhausted. `nonce` is random; `now` is milliseconds since 1970 UTC. */
export function session_new(nonce: u64, now: i64): usize {
  const h = newSession(nonce, now);
  if (h != 0) drawExchange(changetype<Session>(h));
  return h;
}

export function session_free(h: usize): void {
  if (h != 0) freeSession(changetype<Session>(h));
}

/** Address of the session's output. */
export function session_out(h: usize): usize {
  return h == 0 ? 0 : changetype<Session>(h).output;
}

/** What Envoy verified of the caller: `{"jwt":{…}|null,"san":"…"|null}`. Before the request's headers. */
export function session_identity(h: usize, ptr: usize, length: u32): void {
  if (h == 0 || length > IDENTITY_BYTES_MAX) return;
  const s = changetype<Session>(h);
  if (s.phase == PHASE_NEW) identify(s, ptr, length);
}

/** Whether the policy redacts by pseudonyms, which need the deployment's key. */
export function writ_wants_key(): i32 {
  return wantsKey() ? 1 : 0;
}

/** Takes the key of this policy's pseudonyms; until then they are masks. 0 where these are not its 32 bytes. */
export function writ_take_key(ptr: usize, length: u32): i32 {
  const isTaken = takeKey(ptr, length);
  memory.fill(ptr, 0, length);
  return isTaken ? 1 : 0;
}

/** Pseudonyms that were masks for want of a key. */
export function writ_masked_for_want(): u32 {
  return maskedForWant;
}

/** How many budgets the policy has; the host names them by position. */
export function writ_budget_count(): u32 {
  return section(T_BUDGETS) == 0 ? 0 : budgetCount();
}

/** Address of (address, bytes) of a budget's name. */
export function writ_budget_name(position: u32): usize {
  return budgetRecord(position) + BUDGET_NAME;
}

/** Whether a budget has an account for each value of an attribute. */
export function writ_budget_each(position: u32): i32 {
  return hasAccounts(position) ? 1 : 0;
}

/** Address of (address, bytes) of a store's name. */
export function writ_store_name(position: u32): usize {
  return storeRecord(position) + STORE_NAME;
}

/**
 * Takes the newest state of a list or a switch (feeds/layout.ts: IMAGE_*) for every exchange from now on; the bytes are
 * copied. False where it is none of the policy's, is damaged or older than what is there, or memory is exhausted.
 */
export function writ_feed(ptr: usize, length: u32): i32 {
  return takeFeed(ptr, length) ? 1 : 0;
}

/**
 * Decides over facts given as JSON (compiler/plan/decision.ts): address of (address, bytes) of the decision's JSON,
 * good until the next call; 0 when memory is exhausted.
 */
export function writ_decide(ptr: usize, length: u32): usize {
  return decideDocument(ptr, length);
}

/**
 * What the detectors find in a text: address of (address, bytes) of detector, start, end (u32 each, bytes of UTF-8),
 * good until the next call; 0 when memory is exhausted.
 */
export function writ_scan(ptr: usize, length: u32): usize {
  return scanDocument(ptr, length);
}

/**
 * What the last `continue` was to reserve could not be set aside: the request is refused, and nothing is reserved.
 * `state` is a BUDGET_*.
 */
export function session_refuse_spend(h: usize, position: u32, state: u32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  return finish(s, refuseSpend(s, position, state));
}

export function session_request_headers(h: usize, ptr: usize, length: u32, eos: i32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_NEW) return finish(s, ACTION_HOLD);
  return finish(s, onRequestHeaders(s, ptr, length, eos != 0));
}

export function session_request_body(h: usize, ptr: usize, length: u32, eos: i32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_REQUEST) return finish(s, ACTION_HOLD);
  return finish(s, onRequestBody(s, ptr, length, eos != 0));
}

/** Trailers end a body. */
export function session_request_trailers(h: usize): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  return finish(s, s.phase == PHASE_REQUEST ? onRequestEnd(s) : s.phase == PHASE_DONE ? ACTION_HOLD : ACTION_CONTINUE);
}

/**
 * Answers ACTION_LEVELS: for each budget asked, in order, i64 headroom, i64 spent, u32 LEVEL_*, u32 seconds
 * until the budget begins anew (0: not known).
 */
export function session_levels(h: usize, ptr: usize, length: u32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_LEVELS) return finish(s, ACTION_HOLD);
  takeLevels(s, ptr, length);
  return finish(s, decidePrompt(s));
}

/**
 * Answers ACTION_REVIEW: `state` is a REVIEW_*; the ticket where there is one, and seconds after which it is worth
 * asking again.
 */
export function session_review(h: usize, state: u32, ticket: usize, ticketBytes: u32, seconds: u32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_REVIEW) return finish(s, ACTION_HOLD);
  return finish(
    s,
    state == REVIEW_APPROVED ? releasePrompt(s) : answerUnreviewed(s, state, ticket, ticketBytes, seconds),
  );
}

/** Answers ACTION_RECORD: whether the record is where it will not be lost. */
export function session_recorded(h: usize, isKept: i32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_RECORD) return finish(s, ACTION_HOLD);
  return finish(s, goOnRecorded(s, isKept != 0));
}

/** Answers ACTION_CALL; status 0: the call failed. */
export function session_call_response(h: usize, status: u32, ptr: usize, length: u32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  if (s.phase != PHASE_CALL) return finish(s, ACTION_HOLD);
  return finish(s, answerCall(s, status, ptr, length));
}

export function session_response_headers(h: usize, ptr: usize, length: u32, eos: i32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  return finish(s, onResponseHeaders(s, ptr, length, eos != 0));
}

export function session_response_body(h: usize, ptr: usize, length: u32, eos: i32): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  return finish(s, onResponseBody(s, ptr, length, eos != 0));
}

export function session_response_trailers(h: usize): i32 {
  if (h == 0) return ACTION_REPLY;
  const s = begin(h);
  return finish(s, onResponseEnd(s));
}

/** The exchange is over, or was aborted: what is not settled is settled now. */
export function session_end(h: usize): void {
  if (h == 0) return;
  const s = begin(h);
  if (s.stream != 0) keepStream(s);
  decideExchange(s);
  writeKept(s);
  settle(s, false);
  s.phase = PHASE_DONE;
  s.out().publish();
}

/** What a budget or a rate is charged of what was set aside in it: after the exchange's end. */
export function session_charged(h: usize, position: u32, reserved: i64): i64 {
  return h == 0 || position >= budgetCount() ? reserved : chargedOf(changetype<Session>(h).out(), position, reserved);
}

function begin(h: usize): Session {
  const s = changetype<Session>(h);
  s.out().begin();
  return s;
}

function finish(s: Session, action: i32): i32 {
  s.out().publish();
  return action;
}
