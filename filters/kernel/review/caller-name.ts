/**
 * Who calls, as a review or a receipt is bound to them: what stays the same from token to token. Issuer and subject of a
 * JWT, the name in a certificate, or the hash of an API key. Known only where the policy holds or keeps something for
 * review, or gives receipts.
 */
import { T_KEEP, T_RECEIPTS, T_REVIEW } from '../abi';
import { Bytes } from '../bytes';
import { Arena } from '../decision/api';
import { section } from '../decision/tables';
import { is } from '../http/literal';
import { scanString, skipSpace, skipValue } from '../json/scan';
import { appendUnescaped } from '../json/unescape';
import { Session } from '../session/session-state';

const BY_TOKEN: u32 = 1;
const BY_CERTIFICATE: u32 = 2;
const BY_KEY: u32 = 3;

// What the last look into claims found, in the session's arena; 0 bytes where it is no text, or stands there twice.
let issuer: usize = 0;
let issuerBytes: u32 = 0;
let subject: usize = 0;
let subjectBytes: u32 = 0;

function isAskedFor(): bool {
  return section(T_REVIEW) != 0 || section(T_KEEP) != 0 || section(T_RECEIPTS) != 0;
}

export function keepTokensCaller(s: Session, claims: usize, length: u32): void {
  if (!isAskedFor()) return;
  readClaims(s, claims, length);
  if (subjectBytes == 0) return;
  s.callerId = subject;
  s.callerIdBytes = subjectBytes;
  const name = begin(s, BY_TOKEN, 8 + issuerBytes + subjectBytes);
  if (name == 0) return;
  store<u32>(name, issuerBytes);
  memory.copy(name + 4, issuer, issuerBytes);
  store<u32>(name + issuerBytes, subjectBytes, 4);
  memory.copy(name + 8 + issuerBytes, subject, subjectBytes);
}

export function keepCertificatesCaller(s: Session, san: usize, length: u32): void {
  if (!isAskedFor()) return;
  s.callerId = keep(s, san, length);
  s.callerIdBytes = length;
  const name = begin(s, BY_CERTIFICATE, length);
  if (name != 0) memory.copy(name, san, length);
}

/** `hash` is the SHA-256 of the key, `claims` what the policy's list gives it. */
export function keepKeysCaller(s: Session, hash: usize, claims: usize, length: u32): void {
  if (!isAskedFor()) return;
  readClaims(s, claims, length);
  s.callerId = subject;
  s.callerIdBytes = subjectBytes;
  const name = begin(s, BY_KEY, 32);
  if (name != 0) memory.copy(name, hash, 32);
}

function begin(s: Session, kind: u32, length: u32): usize {
  const p = changetype<Arena>(s.arena).take(length + 1);
  if (p == 0) {
    s.failed = true;
    return 0;
  }
  store<u8>(p, <u8>kind);
  s.caller = p;
  s.callerBytes = length + 1;
  return p + 1;
}

function keep(s: Session, p: usize, length: u32): usize {
  const kept = changetype<Arena>(s.arena).take(length + 1);
  if (kept == 0) s.failed = true;
  else memory.copy(kept, p, length);
  return kept;
}

/** Finds `iss` and `sub` in a JSON object, which the claims' own reader has accepted. */
function readClaims(s: Session, claims: usize, length: u32): void {
  issuer = 0;
  issuerBytes = 0;
  subject = 0;
  subjectBytes = 0;
  const end = claims + length;
  let p = skipSpace(claims, end);
  if (p >= end || load<u8>(p) != 0x7b) return;
  let subjects: u32 = 0;
  let issuers: u32 = 0;
  p = skipSpace(p + 1, end);
  while (p < end && load<u8>(p) == 0x22) {
    const key = p + 1;
    p = scanString(p, end);
    if (p == 0) break;
    const keyBytes = <u32>(p - 1 - key);
    p = skipSpace(p, end);
    if (p >= end || load<u8>(p) != 0x3a) break;
    const value = skipSpace(p + 1, end);
    p = skipValue(value, end);
    if (p == 0) break;
    const isText = load<u8>(value) == 0x22;
    if (is(key, keyBytes, 'sub')) {
      subjects += 1;
      subject = isText ? keepText(s, value + 1, p - 1) : 0;
      subjectBytes = isText ? keptBytes : 0;
    } else if (is(key, keyBytes, 'iss')) {
      issuers += 1;
      issuer = isText ? keepText(s, value + 1, p - 1) : 0;
      issuerBytes = isText ? keptBytes : 0;
    }
    p = skipSpace(p, end);
    if (p >= end || load<u8>(p) != 0x2c) break;
    p = skipSpace(p + 1, end);
  }
  if (subjects != 1 || issuers > 1) subjectBytes = 0;
}

let keptBytes: u32 = 0;

/** What the content of a JSON string says, however it is written: doors hand over claims in different ways. */
function keepText(s: Session, p: usize, end: usize): usize {
  const text = changetype<Bytes>(s.text);
  text.clear();
  appendUnescaped(text, p, end);
  if (text.failed) s.failed = true;
  keptBytes = text.len;
  return keep(s, text.ptr, text.len);
}
