/** A request comes in: headers, body, end. */
import { ACTION_HOLD } from '../abi';
import { Arena, storeCount, storeOfCollection } from '../decision/api';
import { T_STORES } from '../abi';
import { section } from '../decision/tables';
import { ENDPOINT_INGEST, ENDPOINT_PASS, ENDPOINT_PROMPT, ENDPOINT_RETRIEVAL, FLAG_BY_NAME } from '../protocol/places';
import { deny, denyExhausted, denyTooLarge } from './denial';
import { capture, eventOf, findEndpoint, formOf, hasFlag } from '../http/endpoint';
import { areHeaders, findHeader, headerValue, headerValueBytes } from '../http/headers';
import { identifyByKey } from '../http/identity';
import { onIngest } from '../retrieval/ingest';
import { is, startsWithFolded } from '../http/literal';
import { onPrompt } from '../prompt/prompt';
import { onRetrieval } from '../retrieval/retrieval';
import { keepRemovals } from '../http/forwarded-headers';
import { keepTicket } from '../review/ticket';
import { keepReceipts } from '../receipts/carried';
import { sendRequest } from './send-request';
import { PHASE_REQUEST, Session } from './session-state';

/** A request's body is held whole; a larger one is refused. */
export const BODY_BYTES_MAX: u32 = 16 << 20;

export function onRequestHeaders(s: Session, ptr: usize, length: u32, eos: bool): i32 {
  if (!areHeaders(ptr, length)) return deny(s, 400, "the request's headers cannot be read");
  if (findHeader(ptr, ':method') != 1) return deny(s, 400, 'the request has no method');
  const method = headerValue;
  const methodBytes = headerValueBytes;
  if (findHeader(ptr, ':path') != 1) return deny(s, 400, 'the request has no path');
  const endpoint = findEndpoint(method, methodBytes, headerValue, headerValueBytes);
  if (endpoint == 0) return deny(s, 404, 'this endpoint is not served: no protocol of the gateway knows it');
  s.endpoint = endpoint;
  s.form = formOf(endpoint);
  if (!keepPath(s)) return denyExhausted(s);
  identifyByKey(s, ptr);
  if (!s.identified)
    return deny(s, 401, 'the caller is not known: a verified token, an API key or a client certificate is needed');
  if (!keepRemovals(s, ptr)) return deny(s, 400, 'headers that begin with x-envoy- are not read from a client');
  if (!keepTicket(s, ptr)) return deny(s, 400, 'x-writ-ticket is none that this gateway gives');
  if (eventOf(endpoint) == ENDPOINT_PROMPT) keepReceipts(s, ptr);
  if (s.failed) return denyExhausted(s);
  s.hadLength = findHeader(ptr, 'content-length') > 0;
  const encodings = findHeader(ptr, 'content-encoding');
  if (encodings > 1 || (encodings == 1 && !is(headerValue, headerValueBytes, 'identity')))
    return deny(s, 415, 'a compressed body is not read: send it as it is');
  if (eventOf(endpoint) == ENDPOINT_PASS) return onPass(s, eos);
  const types = findHeader(ptr, 'content-type');
  if (types > 1 || (types == 1 && !isJsonType(headerValue, headerValueBytes)))
    return deny(s, 415, 'only application/json in UTF-8 is read');
  if (eos) return deny(s, 400, 'the request has no body');
  s.phase = PHASE_REQUEST;
  return ACTION_HOLD;
}

export function onRequestBody(s: Session, ptr: usize, length: u32, eos: bool): i32 {
  const body = s.bodyBytes();
  if (<u64>body.len + <u64>length > <u64>BODY_BYTES_MAX) return denyTooLarge(s);
  body.append(ptr, length);
  if (body.failed) return denyExhausted(s);
  return eos ? onRequestEnd(s) : ACTION_HOLD;
}

export function onRequestEnd(s: Session): i32 {
  const event = eventOf(s.endpoint);
  if (event == ENDPOINT_PROMPT) return onPrompt(s);
  if (event == ENDPOINT_RETRIEVAL) return onRetrieval(s);
  if (event == ENDPOINT_INGEST) return onIngest(s);
  return s.bodyBytes().len == 0 ? sendRequest(s) : deny(s, 400, 'this endpoint takes no body');
}

/** A look-up that holds nothing to be governed: to the first store, and of declared collections only. */
function onPass(s: Session, eos: bool): i32 {
  if (section(T_STORES) == 0 || storeCount() == 0)
    return deny(s, 404, 'this endpoint is not served: the policy has no store');
  s.store = 0;
  if (hasFlag(s.endpoint, FLAG_BY_NAME)) {
    const name = s.captures + 16;
    s.store = storeOfCollection(<usize>load<u32>(name), load<u32>(name, 4));
    if (s.store < 0) return deny(s, 404, 'no store of the policy has this collection');
  }
  if (eos) return sendRequest(s);
  s.phase = PHASE_REQUEST;
  return ACTION_HOLD;
}

/** Keeps the path's captures: the headers are gone when the body comes. */
function keepPath(s: Session): bool {
  const arena = changetype<Arena>(s.arena);
  s.captures = arena.take(4 * 8);
  if (s.captures == 0) return false;
  memory.fill(s.captures, 0, 32);
  for (let i: u32 = 0; i < 4; i += 1) {
    const c = capture(i);
    if (c == 0) break;
    const length = load<u32>(c, 4);
    const kept = arena.take(length);
    if (kept == 0) return false;
    memory.copy(kept, <usize>load<u32>(c), length);
    store<u32>(s.captures + (i << 3), <u32>kept);
    store<u32>(s.captures + (i << 3), length, 4);
  }
  return true;
}

/** `application/json`, with no charset but UTF-8. */
function isJsonType(p: usize, length: u32): bool {
  if (!startsWithFolded(p, length, 'application/json')) return false;
  let at: u32 = 16;
  while (at < length && (load<u8>(p + at) == 0x20 || load<u8>(p + at) == 0x3b)) at += 1;
  if (at == length) return true;
  if (at == 16) return false;
  const rest = length - at;
  return (
    (rest == 13 && startsWithFolded(p + at, rest, 'charset=utf-8')) ||
    (rest == 15 && startsWithFolded(p + at, rest, 'charset="utf-8"'))
  );
}
