/**
 * Which of a request's headers reach an upstream: those that its protocol needs, and of them only those in which no detector finds anything. Whatever else a client sends stays here, so that no value leaves
 * beside the body. Credentials are the routes' matter: they take them away, unless the upstream is to judge them itself.
 */
import { Bytes } from "../bytes";
import { headerCount, headerName, headerNameBytes, headerValue, headerValueBytes, nextHeader, putName } from "./headers";
import { is, startsWith } from "./literal";
import { Session } from "./session-state";

/** Keeps the names of headers that must not reach an upstream. False where one that only Envoy may remove is none of its own. */
export function keepRemovals(s: Session, headers: usize): bool {
  const removed = changetype<Bytes>(s.removals);
  const count = headerCount(headers);
  let at: usize = 0;
  for (let i: u32 = 0; i < count; i += 1) {
    at = nextHeader(headers, i, at);
    if (headerNameBytes > 0 && load<u8>(headerName) == 0x3a) continue;
    if (startsWith(headerName, headerNameBytes, "x-envoy-")) {
      if (!isEnvoys()) return false;
      continue;
    }
    if (isTransport() || isCredential()) continue;
    if (!isNeeded() || holdsValue(s)) putName(removed, headerName, headerNameBytes);
  }
  if (removed.failed) s.failed = true;
  return true;
}

/** Of the header that `nextHeader` read last: what Envoy sets at its edge. */
function isEnvoys(): bool {
  return isName("x-envoy-external-address") || isName("x-envoy-internal") || isName("x-envoy-expected-rq-timeout-ms") || isName("x-envoy-decorator-operation") || isName("x-envoy-attempt-count") || isName("x-envoy-original-path") || isName("x-envoy-original-host");
}

/** What Envoy reads, checks or replaces by itself. */
function isTransport(): bool {
  return isName("host") || isName("content-length") || isName("content-type") || isName("transfer-encoding") || isName("connection") || isName("x-request-id") || isName("x-forwarded-for") || isName("x-forwarded-proto");
}

function isCredential(): bool {
  return isName("authorization") || isName("proxy-authorization") || isName("x-api-key") || isName("api-key") || isName("x-chroma-token") || isName("cookie");
}

function isNeeded(): bool {
  return isName("accept") || isName("user-agent") || isName("anthropic-version") || isName("anthropic-beta") || isName("openai-organization") || isName("openai-project") || isName("openai-beta") || isName("idempotency-key") || isName("traceparent") || isName("tracestate");
}

function isName(name: string): bool {
  return is(headerName, headerNameBytes, name);
}

function holdsValue(s: Session): bool {
  const lane = s.laneOf();
  lane.clear();
  lane.append(headerValue, headerValueBytes);
  lane.scan(true);
  const found = lane.failed || lane.hitCount > 0;
  lane.clear();
  return found;
}
