/**
 * What Envoy verified of the caller. The payload of a JWT that `jwt_authn` accepted comes in a header of ours, as the
 * base64url that its signature is over: Envoy takes a client's copy away before, and the session never forwards it. The
 * name in a client certificate is an attribute of the connection.
 */
import { alloc, free } from '../memory';
import { findHeader, headerValue, headerValueBytes } from '../http/headers';
import { identifyByCertificate, identifyByToken, IDENTITY_BYTES_MAX } from '../http/identity';
import { Session } from '../session/session-state';
import { release, taken, takenBytes, takeProperty } from './host';
import { wordOf } from './words';

const URI_SAN: string = 'connection\0uri_san_peer_certificate';
const DNS_SAN: string = 'connection\0dns_san_peer_certificate';

/** Before the session sees the headers. */
export function identifyCaller(s: Session, headers: usize, certificates: bool): void {
  const tokens = findHeader(headers, 'x-writ-jwt');
  if (tokens > 0) {
    // Only `jwt_authn` can have set it, and sets one.
    if (tokens == 1) identifyByPayload(s, headerValue, headerValueBytes);
    return;
  }
  if (certificates && !identifyBySan(s, URI_SAN)) identifyBySan(s, DNS_SAN);
}

/** Whether the certificate has such a name. */
function identifyBySan(s: Session, path: string): bool {
  if (!takeProperty(wordOf(path), <u32>path.length)) return false;
  const has = takenBytes > 0;
  if (has && takenBytes <= IDENTITY_BYTES_MAX) identifyByCertificate(s, taken, takenBytes);
  release();
  return has;
}

function identifyByPayload(s: Session, p: usize, length: u32): void {
  if (length > (IDENTITY_BYTES_MAX / 3) * 4) return;
  const json = alloc((length / 4) * 3 + 3);
  if (json == 0) return;
  const bytes = decode(p, length, json);
  if (bytes > 0) identifyByToken(s, json, <u32>bytes);
  free(json);
}

/** base64url without padding; -1 where it is none. */
function decode(p: usize, length: u32, to: usize): i32 {
  let bits: u32 = 0;
  let count: u32 = 0;
  let at = to;
  for (let i: u32 = 0; i < length; i += 1) {
    const value = valueOf(load<u8>(p + i));
    if (value < 0) return -1;
    bits = (bits << 6) | (<u32>value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    store<u8>(at, <u8>(bits >> count));
    at += 1;
  }
  return count == 6 ? -1 : <i32>(at - to);
}

function valueOf(c: u32): i32 {
  if (c - 0x41 <= 25) return <i32>(c - 0x41);
  if (c - 0x61 <= 25) return <i32>(c - 0x61 + 26);
  if (c - 0x30 <= 9) return <i32>(c - 0x30 + 52);
  return c == 0x2d ? 62 : c == 0x5f ? 63 : -1;
}
