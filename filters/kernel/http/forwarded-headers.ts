/**
 * Which of a request's headers reach an upstream: those that its protocol needs, and of them only those in which no
 * detector finds anything. Whatever else a client sends stays here, so that no value leaves beside the body. Of a
 * reply's headers those in which something is found stay here. Credentials are the routes' matter: they take them away,
 * unless the upstream is to judge them itself.
 */
import { Bytes } from '../bytes';
import {
  headerCount,
  headerName,
  headerNameBytes,
  headerValue,
  headerValueBytes,
  nextHeader,
  putName,
} from './headers';
import { is, startsWith } from './literal';
import { Session } from '../session/session-state';

/**
 * Keeps the names of headers that must not reach an upstream. False where one that only Envoy may remove is none of its
 * own.
 */
export function keepRemovals(s: Session, headers: usize): bool {
  const removed = changetype<Bytes>(s.removals);
  const count = headerCount(headers);
  let at: usize = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    at = nextHeader(headers, i, at);
    if (headerNameBytes > 0 && load<u8>(headerName) == 0x3a) continue;
    if (startsWith(headerName, headerNameBytes, 'x-envoy-')) {
      if (!isEnvoys()) return false;
      continue;
    }
    if (isTransport() || isCredential()) continue;
    if (!isNeeded() || holdsValue(s, headerValue, headerValueBytes)) putName(removed, headerName, headerNameBytes);
  }
  if (removed.failed) s.failed = true;
  return true;
}

/**
 * Keeps the names of a reply's headers in which a detector finds something, in the name or the value; `putRemovals` takes
 * them away.
 */
export function keepReplyRemovals(s: Session, headers: usize): void {
  const removed = changetype<Bytes>(s.removals);
  removed.clear();
  const count = headerCount(headers);
  let at: usize = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    at = nextHeader(headers, i, at);
    if (headerNameBytes > 0 && load<u8>(headerName) == 0x3a) continue;
    if (isFraming() || isName('date')) continue;
    if (holdsValue(s, headerValue, headerValueBytes) || holdsValue(s, headerName, headerNameBytes))
      putName(removed, headerName, headerNameBytes);
  }
  if (removed.failed) s.failed = true;
}

export function putRemovals(s: Session): void {
  const removed = changetype<Bytes>(s.removals);
  s.out().removeRun().append(removed.ptr, removed.len);
}

/**
 * Of the header that `nextHeader` read last: what Envoy itself sets at its edge. Others of its own it has taken away
 * there; what is left of them is a client's.
 */
function isEnvoys(): bool {
  return isName('x-envoy-external-address') || isName('x-envoy-internal');
}

/** What Envoy writes by itself. */
function isFraming(): bool {
  return isName('content-length') || isName('transfer-encoding') || isName('connection');
}

/** What Envoy reads, checks or replaces by itself in a request. */
function isTransport(): bool {
  return (
    isFraming() ||
    isName('host') ||
    isName('content-type') ||
    isName('x-request-id') ||
    isName('x-forwarded-for') ||
    isName('x-forwarded-proto')
  );
}

function isCredential(): bool {
  return (
    isName('authorization') ||
    isName('proxy-authorization') ||
    isName('x-api-key') ||
    isName('api-key') ||
    isName('x-chroma-token') ||
    isName('cookie')
  );
}

function isNeeded(): bool {
  return (
    isName('accept') ||
    isName('user-agent') ||
    isName('anthropic-version') ||
    isName('anthropic-beta') ||
    isName('openai-organization') ||
    isName('openai-project') ||
    isName('openai-beta') ||
    isName('idempotency-key') ||
    isName('traceparent') ||
    isName('tracestate')
  );
}

function isName(name: string): bool {
  return is(headerName, headerNameBytes, name);
}

function holdsValue(s: Session, text: usize, bytes: u32): bool {
  const lane = s.laneOf();
  lane.clear();
  lane.append(text, bytes);
  lane.scan(true);
  const found = lane.failed || lane.hitCount > 0;
  lane.clear();
  return found;
}
