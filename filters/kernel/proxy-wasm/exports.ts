/**
 * The proxy-wasm ABI 0.2.1: Envoy's callbacks, each of which drives the exchange's session as the other door's host does.
 * Bodies that are held stay with Envoy, which buffers them while a callback answers PAUSE; the session gets one copy,
 * once. A body is complete at its last bytes or at trailers. Nothing here traps: what Envoy will not do is answered by
 * a refusal, never by letting the exchange pass.
 */
import {
  ACTION_CALL,
  ACTION_CONTINUE,
  ACTION_HOLD,
  ACTION_LEVELS,
  ACTION_RECORD,
  ACTION_REPLY,
  ACTION_REVIEW,
} from '../abi';
import { alloc, free } from '../memory';
import {
  session_call_response,
  session_end,
  session_free,
  session_request_body,
  session_request_headers,
  session_request_trailers,
  session_response_body,
  session_response_headers,
  session_response_trailers,
} from '../session';
import { areHeaders, headerCount, headerName, headerNameBytes, nextHeader } from '../http/headers';
import { hasKey, wantsKey } from '../edit/policy-key';
import { settleNothing } from '../session/budget';
import { deny, denyExhausted, denyTooLarge } from '../session/denial';
import {
  PHASE_DONE,
  PHASE_LEVELS,
  PHASE_REPLY,
  PHASE_REQUEST,
  PHASE_SENT,
  PHASE_STREAM,
  Session,
} from '../session/session-state';
import { answer, answerBare, applyHeaders, removeLength, replaceBody } from './answers';
import { callStore, CALL_REPLY_BYTES_MAX } from './calls';
import { identifyCaller } from './caller';
import { readConfiguration } from './configuration';
import { forgetGrants } from './grant';
import { takeReply } from './grant-calls';
import { endKept, tellKept } from './keep-calls';
import { openSession } from './open-session';
import { askRecord, takeRecorded } from './record-calls';
import { askQueue, takeRuling, unanswered } from './review-calls';
import { endKeyCall, findKey, onKeyTick, takeKeyReply } from './key-calls';
import { countExchange, defineMetrics, tellDecisions } from './report';
import {
  askForMore,
  askLevels,
  endQuietCall,
  hasBudgets,
  hasReserved,
  knowsLevels,
  mayGetMore,
  onTick,
  refuseForWant,
  reserveAll,
  settleSpend,
  takeQuietReply,
  tellLevels,
  TICK_MS,
} from './spend';
import {
  proxy_close_stream,
  proxy_continue_stream,
  proxy_remove_header_map_value,
  proxy_set_effective_context,
  proxy_set_tick_period_milliseconds,
} from './env';
import {
  addContext,
  CALL_GRANTS,
  CALL_RECORD,
  CALL_REVIEW,
  CALL_STORE,
  countSession,
  endWait,
  Exchange,
  exchangeOf,
  exchangeWaiting,
  removeContext,
  Root,
  rootOf,
  SIDE_REPLY,
  SIDE_REQUEST,
} from './exchanges';
import * as H from './host';
import { takenBytes } from './host';

/** Questions that one half of an exchange may ask before it must decide. */
const QUESTIONS_MAX: u32 = 8;

// ------------------------------------------------------------------------------------------------------------- the VM

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: u32): usize {
  return alloc(size);
}

export function proxy_on_vm_start(_root: u32, _bytes: u32): i32 {
  return 1;
}

export function proxy_on_configure(id: u32, bytes: u32): i32 {
  const root = rootOf(id);
  if (root == 0 || !H.takeBuffer(H.BUFFER_CONFIGURATION, bytes)) return 0;
  const configuration = readConfiguration(H.detach(), bytes);
  changetype<Root>(root).configuration = configuration;
  if (configuration == 0 || !defineMetrics()) return 0;
  findKey();
  if (!hasBudgets() && !wantsKey()) return 1;
  return proxy_set_tick_period_milliseconds(TICK_MS) == H.STATUS_OK ? 1 : 0;
}

export function proxy_on_tick(root: u32): void {
  onTick(root);
  onKeyTick(root, H.nowMs());
}

export function proxy_on_context_create(id: u32, parent: u32): void {
  addContext(id, parent);
}

/** The exchange is over: what is not settled is settled, and what was decided is told. */
export function proxy_on_log(id: u32): void {
  const p = exchangeOf(id);
  if (p == 0) return;
  const e = changetype<Exchange>(p);
  if (e.session == 0) return;
  session_end(e.session);
  settleSpend(e, e.sessionOf().out());
  tellDecisions(e);
  tellKept(e);
  countExchange(e);
}

export function proxy_on_delete(id: u32): void {
  const p = exchangeOf(id);
  if (p != 0 && changetype<Exchange>(p).session != 0) {
    session_free(changetype<Exchange>(p).session);
    countSession(-1);
  }
  removeContext(id);
}

// -------------------------------------------------------------------------------------------------------- the request

export function proxy_on_request_headers(id: u32, _count: u32, eos: u32): i32 {
  const p = exchangeOf(id);
  if (p == 0) return refuseBare();
  const e = changetype<Exchange>(p);
  if (!hasKey()) findKey();
  if (!openSession(e)) return refuseBare();
  e.sessionOf().hostHolds = true;
  if (!H.takeHeaders(H.MAP_REQUEST)) return refuseBare();
  const headers = H.detach();
  const bytes = takenBytes;
  if (areHeaders(headers, bytes)) identifyCaller(e.sessionOf(), headers, e.configurationOf().certificates);
  const action = session_request_headers(e.session, headers, bytes, <i32>eos);
  free(headers);
  // Held: the body is still to come.
  if (action == ACTION_HOLD && eos == 0) return H.PAUSE;
  return proceed(e, action, SIDE_REQUEST);
}

export function proxy_on_request_body(id: u32, bytes: u32, eos: u32): i32 {
  const p = exchangeOf(id);
  if (p == 0 || changetype<Exchange>(p).session == 0 || changetype<Exchange>(p).answered) return H.PAUSE;
  const e = changetype<Exchange>(p);
  if (e.sessionOf().phase != PHASE_REQUEST) return e.calling ? H.PAUSE : H.GO_ON;
  e.held = bytes;
  if (bytes > e.configurationOf().requestBytes) return refuse(e, denyTooLarge(begin(e)));
  return eos == 0 ? H.PAUSE : endRequest(e);
}

export function proxy_on_request_trailers(id: u32, _count: u32): i32 {
  const p = exchangeOf(id);
  if (p == 0 || changetype<Exchange>(p).session == 0 || changetype<Exchange>(p).answered) return H.PAUSE;
  const e = changetype<Exchange>(p);
  // No protocol has trailers in a request, and nobody reads what a client says in them: none goes on.
  if (!removeAll(H.MAP_REQUEST_TRAILERS)) return refuse(e, denyExhausted(begin(e)));
  if (e.sessionOf().phase != PHASE_REQUEST) return e.calling ? H.PAUSE : H.GO_ON;
  return e.held > 0 ? endRequest(e) : proceed(e, session_request_trailers(e.session), SIDE_REQUEST);
}

/** All of the body is with Envoy. */
function endRequest(e: Exchange): i32 {
  const s = e.sessionOf();
  if (!H.takeBuffer(H.BUFFER_REQUEST, e.held)) return refuse(e, denyExhausted(begin(e)));
  s.bodyBytes().adopt(H.detach(), e.held);
  return proceed(e, session_request_body(e.session, 0, 0, 1), SIDE_REQUEST);
}

// ---------------------------------------------------------------------------------------------------------- the reply

export function proxy_on_response_headers(id: u32, _count: u32, eos: u32): i32 {
  const p = exchangeOf(id);
  // Without a session the reply is Envoy's own, and so it is before the request has left.
  if (p == 0 || changetype<Exchange>(p).session == 0 || changetype<Exchange>(p).answered) return H.GO_ON;
  const e = changetype<Exchange>(p);
  if (e.sessionOf().phase != PHASE_SENT || !e.forwarded || !e.configurationOf().replies) return H.GO_ON;
  e.held = 0;
  e.questions = 0;
  if (!H.takeHeaders(H.MAP_REPLY)) return refuse(e, denyExhausted(begin(e)));
  const headers = H.detach();
  const action = session_response_headers(e.session, headers, takenBytes, <i32>eos);
  free(headers);
  if (action == ACTION_HOLD && eos == 0) return H.PAUSE;
  return proceed(e, action, SIDE_REPLY);
}

export function proxy_on_response_body(id: u32, bytes: u32, eos: u32): i32 {
  const p = exchangeOf(id);
  if (p == 0 || changetype<Exchange>(p).session == 0 || changetype<Exchange>(p).answered) return H.GO_ON;
  const e = changetype<Exchange>(p);
  if (e.calling) return H.PAUSE;
  if (isStreaming(e.sessionOf())) return passChunk(e, bytes, eos);
  if (!isHolding(e.sessionOf())) return H.GO_ON;
  e.held = bytes;
  if (bytes > e.configurationOf().replyBytes)
    return refuse(e, deny(begin(e), 502, "the upstream's reply is larger than this gateway reads"));
  return eos == 0 ? H.PAUSE : endReply(e);
}

export function proxy_on_response_trailers(id: u32, _count: u32): i32 {
  const p = exchangeOf(id);
  if (p == 0 || changetype<Exchange>(p).session == 0 || changetype<Exchange>(p).answered) return H.GO_ON;
  const e = changetype<Exchange>(p);
  // Nothing in a reply's trailers was looked at either.
  if (!removeAll(H.MAP_REPLY_TRAILERS)) {
    proxy_close_stream(SIDE_REPLY);
    return H.PAUSE;
  }
  if (e.calling) return H.PAUSE;
  const s = e.sessionOf();
  if (isHolding(s)) return endReply(e);
  if (!isStreaming(s)) return H.GO_ON;
  session_response_trailers(e.session);
  // What a stream still held has no chunk to go with: better a client that sees a cut stream than one that takes what
  // it has for all of it.
  if (s.out().bodyLen > 0) proxy_close_stream(SIDE_REPLY);
  return H.GO_ON;
}

/** All of the held reply is with Envoy. */
function endReply(e: Exchange): i32 {
  const s = e.sessionOf();
  if (!H.takeBuffer(H.BUFFER_REPLY, e.held)) return refuse(e, denyExhausted(begin(e)));
  const body = s.phase == PHASE_STREAM ? s.streamOf().pendingBytes() : s.bodyBytes();
  body.adopt(H.detach(), e.held);
  return proceed(e, session_response_body(e.session, 0, 0, 1), SIDE_REPLY);
}

/** A chunk of a stream: what is settled by now leaves in its place, which may be nothing. */
function passChunk(e: Exchange, bytes: u32, eos: u32): i32 {
  const s = e.sessionOf();
  if (!H.takeBuffer(H.BUFFER_REPLY, bytes)) return cut();
  const chunk = H.detach();
  session_response_body(e.session, chunk, bytes, <i32>eos);
  const o = s.out();
  const same = o.bodyLen == bytes && memory.compare(<usize>o.bodyPtr, chunk, bytes) == 0;
  free(chunk);
  return same || replaceBody(o, H.BUFFER_REPLY, bytes) ? H.GO_ON : cut();
}

/** A stream that cannot be governed any more ends where it is. */
function cut(): i32 {
  proxy_close_stream(SIDE_REPLY);
  return H.PAUSE;
}

/** The reply passes chunk by chunk, or what is left of it is swallowed. */
function isStreaming(s: Session): bool {
  return s.stream != 0 && !s.streamOf().buffered && (s.phase == PHASE_STREAM || s.phase == PHASE_DONE);
}

function isHolding(s: Session): bool {
  return s.phase == PHASE_REPLY || (s.phase == PHASE_STREAM && s.streamOf().buffered);
}

// -------------------------------------------------------------------------------------------------------------- calls

export function proxy_on_http_call_response(root: u32, token: u32, headers: u32, bytes: u32, _trailers: u32): void {
  const p = exchangeWaiting(root, token, CALL_STORE);
  if (p == 0) return;
  const e = changetype<Exchange>(p);
  endWait(e);
  let status: u32 = 0;
  let body: usize = 0;
  if (headers > 0 && bytes <= CALL_REPLY_BYTES_MAX && H.takeBuffer(H.BUFFER_CALL, bytes)) {
    body = H.detach();
    status = H.takeStatus(H.MAP_CALL);
  }
  // From here on Envoy's calls are about the stream.
  proxy_set_effective_context(e.id);
  const action = session_call_response(e.session, status, body, status == 0 ? 0 : bytes);
  free(body);
  const side = e.side;
  if (proceed(e, action, side) == H.GO_ON) proxy_continue_stream(side);
}

export function proxy_on_grpc_receive(root: u32, token: u32, bytes: u32): void {
  if (endKept(root, token, true)) return;
  if (takeQuietReply(root, token, bytes) || takeKeyReply(root, token, bytes)) return;
  const held = exchangeWaiting(root, token, CALL_REVIEW);
  if (held != 0) return goOnWithReview(changetype<Exchange>(held), bytes);
  const recording = exchangeWaiting(root, token, CALL_RECORD);
  if (recording != 0) return goOnRecorded(changetype<Exchange>(recording), bytes);
  const p = exchangeWaiting(root, token, CALL_GRANTS);
  if (p == 0) return;
  takeReply(bytes, changetype<Exchange>(p).sentAt);
  goOnWithSpend(changetype<Exchange>(p));
}

/** The call has failed, or is over: whoever still waits then has no answer. */
export function proxy_on_grpc_close(root: u32, token: u32, status: u32): void {
  if (endKept(root, token, status == 0)) return;
  endQuietCall(root, token);
  endKeyCall(root, token);
  const held = exchangeWaiting(root, token, CALL_REVIEW);
  if (held != 0) return goOnWithReview(changetype<Exchange>(held), 0);
  const recording = exchangeWaiting(root, token, CALL_RECORD);
  if (recording != 0) return goOnRecorded(changetype<Exchange>(recording), 0);
  const p = exchangeWaiting(root, token, CALL_GRANTS);
  if (p != 0) goOnWithSpend(changetype<Exchange>(p));
}

/** The sidecar has answered, or has not: what the request waited for is tried again. */
function goOnWithSpend(e: Exchange): void {
  endWait(e);
  proxy_set_effective_context(e.id);
  const action = e.sessionOf().phase == PHASE_LEVELS ? ACTION_LEVELS : ACTION_CONTINUE;
  if (proceed(e, action, SIDE_REQUEST) == H.GO_ON) proxy_continue_stream(SIDE_REQUEST);
}

/** The queue of reviews has answered; with no bytes it has not. */
function goOnWithReview(e: Exchange, bytes: u32): void {
  endWait(e);
  proxy_set_effective_context(e.id);
  const action = bytes == 0 ? unanswered(e) : takeRuling(e, bytes);
  if (proceed(e, action, SIDE_REQUEST) == H.GO_ON) proxy_continue_stream(SIDE_REQUEST);
}

/** The sidecar has kept the record, or has not; with no bytes it has not answered. */
function goOnRecorded(e: Exchange, bytes: u32): void {
  endWait(e);
  proxy_set_effective_context(e.id);
  if (proceed(e, takeRecorded(e, bytes), SIDE_REQUEST) == H.GO_ON) proxy_continue_stream(SIDE_REQUEST);
}

// -------------------------------------------------------------------------------------------------------------- steps

/** Does what the session says, and asks what it asks for until it decides or waits. */
function proceed(e: Exchange, first: i32, side: i32): i32 {
  let action = first;
  if (hasBudgets()) forgetGrants();
  while (action == ACTION_LEVELS || action == ACTION_CALL || action == ACTION_REVIEW || action == ACTION_RECORD) {
    if (action == ACTION_RECORD) {
      if (askRecord(e)) return H.PAUSE;
      action = takeRecorded(e, 0);
      continue;
    }
    if (action == ACTION_REVIEW) {
      if (askQueue(e)) return H.PAUSE;
      action = unanswered(e);
      continue;
    }
    if (action == ACTION_LEVELS) {
      const now = H.nowMs();
      if (!e.hasAskedLevels && !knowsLevels(e, now)) {
        e.hasAskedLevels = true;
        if (askLevels(e, now)) return H.PAUSE;
      }
      action = tellLevels(e, now);
      continue;
    }
    e.questions += 1;
    if (e.questions <= QUESTIONS_MAX && callStore(e, e.sessionOf().out(), side)) return H.PAUSE;
    action = session_call_response(e.session, 0, 0, 0);
  }
  const o = e.sessionOf().out();
  if (action == ACTION_CONTINUE && side == SIDE_REQUEST && !hasReserved(e, o)) {
    const now = H.nowMs();
    if (!reserveAll(e, o, now)) {
      if (mayGetMore(e, o) && askForMore(e, o, now)) return H.PAUSE;
      action = refuseForWant(e, o);
    }
  }
  if (action == ACTION_REPLY) return refuse(e, action);
  // A session never holds at the end of what it was given.
  if (action != ACTION_CONTINUE) return refuse(e, deny(begin(e), 500, 'this gateway has failed'));
  if (forward(e, side)) return H.GO_ON;
  // It never left: it cost nothing.
  if (side == SIDE_REQUEST) settleNothing(e.sessionOf());
  return refuse(e, denyExhausted(begin(e)));
}

/** What was held goes on, edited. */
function forward(e: Exchange, side: i32): bool {
  const s = e.sessionOf();
  const o = s.out();
  const isRequest = side == SIDE_REQUEST;
  const isStream = !isRequest && s.stream != 0;
  if (!applyHeaders(o, isRequest ? H.MAP_REQUEST : H.MAP_REPLY)) return false;
  if (isStream && !removeLength(H.MAP_REPLY)) return false;
  if (o.bodyMode != 0 && e.held > 0) {
    const covered = isStream ? e.held : o.covered;
    if (!replaceBody(o, isRequest ? H.BUFFER_REQUEST : H.BUFFER_REPLY, covered)) return false;
  }
  if (isRequest) e.forwarded = true;
  return true;
}

/** The answer that a denial has written goes to the client. */
function refuse(e: Exchange, _action: i32): i32 {
  e.sessionOf().out().publish();
  answer(e, e.sessionOf().out());
  return H.PAUSE;
}

function refuseBare(): i32 {
  answerBare(503);
  return H.PAUSE;
}

function begin(e: Exchange): Session {
  e.sessionOf().out().begin();
  return e.sessionOf();
}

/** Takes every header of a map away. */
function removeAll(map: i32): bool {
  if (!H.takeHeaders(map)) return false;
  const headers = H.detach();
  let done = areHeaders(headers, takenBytes);
  const count = done ? headerCount(headers) : 0;
  let at: usize = 0;
  for (let i: u32 = 0; i < count && done; i += 1) {
    at = nextHeader(headers, i, at);
    done = proxy_remove_header_map_value(map, headerName, headerNameBytes) == H.STATUS_OK;
  }
  free(headers);
  return done;
}
