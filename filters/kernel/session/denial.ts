/**
 * Answers of our own, each in the form of the client's protocol. They name rules, places and limits; never a word of
 * what the client or the upstream wrote.
 */
import { ACTION_REPLY } from '../abi';
import { Bytes } from '../bytes';
import { renderReason } from '../decision/api';
import { appendEscaped, appendNumber } from '../json/escape';
import {
  placeName,
  walkPlace,
  WALK_DEPTH,
  WALK_DUPLICATE,
  WALK_REFUSED,
  WALK_TOO_LARGE,
  WALK_UNKNOWN_KEY,
  WALK_UTF8,
} from '../json/walk';
import { FORM_ANTHROPIC, FORM_CHROMA } from '../protocol/places';
import { putHeader } from '../http/headers';
import { put } from '../http/literal';
import { protocolSection } from '../http/endpoint';
import { PHASE_DONE, Session } from './session-state';

/** The policy said no. */
export function denyByPolicy(s: Session, status: u32): i32 {
  const message = messageOf(s);
  renderReason(s.result, message);
  return reply(s, status, message);
}

/** A rule asks to redact what cannot be edited. */
export function denyFixed(s: Session): i32 {
  return deny(
    s,
    403,
    'a value that a rule redacts stands where nothing can be redacted: in a number, in a key, or in the structure of tool arguments',
  );
}

export function denyTooLarge(s: Session): i32 {
  return deny(s, 413, 'the body is larger, or holds more values, than this gateway reads');
}

export function denyExhausted(s: Session): i32 {
  return deny(s, 503, 'this gateway has no memory left for the request');
}

/** An answer with a message of ours. */
export function deny(s: Session, status: u32, text: string): i32 {
  const message = messageOf(s);
  put(message, text);
  return reply(s, status, message);
}

/** The request's body cannot be read, or holds what is refused: `code` is what `walk` answered. */
export function denyWalk(s: Session, code: i32, whose: string): i32 {
  const message = messageOf(s);
  put(message, whose);
  if (code == WALK_UTF8) put(message, ' is not valid UTF-8');
  else if (code == WALK_DEPTH) put(message, ' is nested deeper than 64 levels');
  else if (code == WALK_DUPLICATE) put(message, ' has a field twice, or one that only differs in case');
  else if (code == WALK_TOO_LARGE) put(message, ' has more values than this gateway reads');
  else if (code == WALK_REFUSED || code == WALK_UNKNOWN_KEY) {
    put(message, code == WALK_REFUSED ? ' has a value that is not read at `' : ' has a field that is not known in `');
    appendPlace(message, walkPlace);
    put(message, '`, so it cannot be checked');
  } else put(message, ' is not valid JSON');
  return reply(s, code == WALK_TOO_LARGE ? 413 : 400, message);
}

/** Appends a place's name, `body` for the whole. */
export function appendPlace(out: Bytes, node: usize): void {
  const name: usize = node == 0 ? 0 : placeName(protocolSection(), node);
  if (name == 0 || load<u32>(name) == 0) put(out, 'body');
  else out.append(name + 4, load<u32>(name));
}

/** The run that a message is written into. */
export function messageOf(s: Session): Bytes {
  const message = changetype<Bytes>(s.text);
  message.clear();
  return message;
}

/** Answers the client with `message`. */
export function reply(s: Session, status: u32, message: Bytes): i32 {
  const o = s.out();
  o.status = status;
  const body = o.replyBodyRun();
  body.clear();
  appendError(body, s.form, status, message, s.overRate);
  const headers = o.replyHeadersRun();
  headers.clear();
  const type = changetype<usize>(JSON_TYPE);
  headers.u32(12);
  headers.u32(<u32>JSON_TYPE.length);
  put(headers, 'content-type');
  for (let i: u32 = 0; i < <u32>JSON_TYPE.length; i += 1) headers.push(load<u16>(type + (i << 1)));
  if (s.retrySeconds > 0) putRetryAfter(headers, s.retrySeconds);
  if (status == 401) putHeader(headers, 'www-authenticate', bearer, 6);
  s.phase = PHASE_DONE;
  return ACTION_REPLY;
}

/** RFC 9110 section 10.2.3. */
function putRetryAfter(headers: Bytes, seconds: u32): void {
  let digits: u32 = 1;
  for (let rest = seconds; rest > 9; rest /= 10) digits += 1;
  headers.u32(11);
  headers.u32(digits);
  put(headers, 'retry-after');
  appendNumber(headers, seconds);
}

/** Appends the error's JSON. */
export function appendError(out: Bytes, form: u32, status: u32, message: Bytes, overRate: bool = false): void {
  if (form == FORM_ANTHROPIC) put(out, '{"type":"error","error":{"type":"');
  else if (form == FORM_CHROMA) put(out, '{"error":"');
  else put(out, '{"error":{"message":"');
  if (form == FORM_ANTHROPIC || form == FORM_CHROMA) {
    put(out, form == FORM_ANTHROPIC ? anthropicType(status) : chromaType(status));
    put(out, '","message":"');
  }
  appendEscaped(out, message.ptr, message.len);
  if (form == FORM_ANTHROPIC) return put(out, '"}}');
  if (form == FORM_CHROMA) return put(out, '"}');
  put(out, '","type":"');
  put(out, overRate ? 'rate_limit_exceeded' : openaiType(status));
  put(out, '","param":null,"code":"');
  put(out, status == 202 ? 'writ_held' : status == 403 || status == 429 ? 'writ_denied' : 'writ_error');
  put(out, '"}}');
}

/** Appends the status as a decimal, for logs. */
export function appendStatus(out: Bytes, status: u32): void {
  appendNumber(out, status);
}

const JSON_TYPE: string = 'application/json';
const bearer: usize = memory.data<u8>([0x42, 0x65, 0x61, 0x72, 0x65, 0x72]);

/** Of an answer that is no error: nothing is denied yet. */
const HELD: string = 'held_for_review';

function openaiType(status: u32): string {
  if (status == 202) return HELD;
  if (status == 403) return 'policy_denied';
  if (status == 429) return 'budget_exceeded';
  if (status == 401) return 'authentication_error';
  if (status < 500) return 'invalid_request_error';
  return 'server_error';
}

function anthropicType(status: u32): string {
  if (status == 202) return HELD;
  if (status == 401) return 'authentication_error';
  if (status == 403) return 'permission_error';
  if (status == 404) return 'not_found_error';
  if (status == 413) return 'request_too_large';
  if (status == 429) return 'rate_limit_error';
  if (status == 503) return 'overloaded_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

function chromaType(status: u32): string {
  if (status == 401) return 'AuthError';
  if (status == 403) return 'ForbiddenError';
  if (status == 404) return 'NotFoundError';
  if (status == 429) return 'RateLimitError';
  return status < 500 ? 'InvalidArgumentError' : 'InternalError';
}
