/**
 * Who calls: the claims of a token that Envoy has verified, else the claims that the policy's signed list gives the API
 * key (by its SHA-256), else those of the certificate's name. No other header, and no unverified token, says anything
 * about the caller.
 */
import { Arena, claimsOfIdentity, loadClaims } from '../decision/api';
import { T_IDENTITIES } from '../abi';
import { section } from '../decision/tables';
import { skipSpace, skipValue, scanString, stringEscaped } from '../json/scan';
import { keepCertificatesCaller, keepKeysCaller, keepTokensCaller } from '../review/caller-name';
import { findHeader, headerValue, headerValueBytes } from './headers';
import { startsWithFolded } from './literal';
import { Session } from '../session/session-state';
import { sha256 } from './sha256';

const hash: usize = memory.data(32, 8);
/** A document of the host's is never longer. */
export const IDENTITY_BYTES_MAX: u32 = 65_536;

/** Takes what the host got from Envoy: `{"jwt":{…}|null,"san":"spiffe://…"|null}`. */
export function identify(s: Session, ptr: usize, length: u32): void {
  const end = ptr + length;
  let p = skipSpace(ptr, end);
  if (p >= end || load<u8>(p) != 0x7b) return;
  p += 1;
  let sanAt: usize = 0;
  let sanBytes: u32 = 0;
  while (true) {
    p = skipSpace(p, end);
    if (p >= end || load<u8>(p) != 0x22) return;
    const key = p + 1;
    p = scanString(p, end);
    if (p == 0) return;
    const keyBytes = <u32>(p - 1 - key);
    p = skipSpace(p, end);
    if (p >= end || load<u8>(p) != 0x3a) return;
    p = skipSpace(p + 1, end);
    const value = p;
    p = skipPlainValue(p, end);
    if (p == 0) return;
    if (keyBytes == 3 && load<u8>(value) == 0x7b && load<u8>(key) == 0x6a) {
      // A token that is there and cannot be read is nobody, whatever else is there.
      if (!identifyByToken(s, value, <u32>(p - value))) return;
    }
    if (keyBytes == 3 && load<u8>(value) == 0x22 && load<u8>(key) == 0x73) {
      sanAt = value + 1;
      sanBytes = <u32>(p - 2 - value);
    }
    p = skipSpace(p, end);
    if (p >= end) return;
    if (load<u8>(p) == 0x7d) break;
    if (load<u8>(p) != 0x2c) return;
    p += 1;
  }
  if (sanAt != 0 && sanBytes > 0) identifyByCertificate(s, sanAt, sanBytes);
}

/** Takes the claims of a token that Envoy has verified: a JSON object. */
export function identifyByToken(s: Session, p: usize, length: u32): bool {
  s.identified = loadClaims(s.facts, changetype<Arena>(s.arena), p, length);
  if (s.identified) keepTokensCaller(s, p, length);
  return s.identified;
}

/** Where nobody is identified yet: the name in a certificate that Envoy has verified, with a byte before it to write. */
export function identifyByCertificate(s: Session, name: usize, length: u32): void {
  if (s.identified) return;
  // Hashed with a zero before it, which no header can hold: a certificate's name is no secret, and must not do as an
  // API key.
  const before = load<u8>(name - 1);
  store<u8>(name - 1, 0);
  s.identified = lookUp(s, name - 1, length + 1);
  store<u8>(name - 1, before);
  if (s.identified) keepCertificatesCaller(s, name, length);
}

/**
 * Where nobody is identified yet: an API key in `authorization: Bearer` or `x-api-key`. Two different keys are none.
 */
export function identifyByKey(s: Session, headers: usize): void {
  if (s.identified) return;
  const bearers = findHeader(headers, 'authorization');
  if (bearers > 1) return;
  let key: usize = 0;
  let keyBytes: u32 = 0;
  if (bearers == 1 && startsWithFolded(headerValue, headerValueBytes, 'bearer ')) {
    key = headerValue + 7;
    keyBytes = headerValueBytes - 7;
  }
  const keys = findHeader(headers, 'x-api-key');
  if (keys > 1) return;
  if (keys == 1) {
    if (key != 0 && (keyBytes != headerValueBytes || memory.compare(key, headerValue, keyBytes) != 0)) {
      // A client library may send a dummy in one of them: the one that is known counts, if only one is.
      const second = headerValue;
      const secondBytes = headerValueBytes;
      s.identified = lookUpKey(s, key, keyBytes) || lookUpKey(s, second, secondBytes);
      return;
    }
    key = headerValue;
    keyBytes = headerValueBytes;
  }
  if (key != 0) s.identified = lookUpKey(s, key, keyBytes);
}

/** A key that begins as a certificate's name does is none. */
function lookUpKey(s: Session, key: usize, keyBytes: u32): bool {
  if (keyBytes == 0 || load<u8>(key) == 0 || !lookUp(s, key, keyBytes)) return false;
  const claims = claimsOfIdentity(hash);
  keepKeysCaller(s, hash, <usize>load<u32>(claims), load<u32>(claims, 4));
  return true;
}

function lookUp(s: Session, p: usize, length: u32): bool {
  if (section(T_IDENTITIES) == 0 || !sha256(p, length, hash)) return false;
  const claims = claimsOfIdentity(hash);
  return claims != 0 && loadClaims(s.facts, changetype<Arena>(s.arena), <usize>load<u32>(claims), load<u32>(claims, 4));
}

/** As `skipValue`; 0 also for a text with escapes. */
function skipPlainValue(p: usize, end: usize): usize {
  const behind = skipValue(p, end);
  return load<u8>(p) == 0x22 && stringEscaped ? 0 : behind;
}
