/**
 * `writ1.006927a3c0.confidential.8c1f…`: when it was given (seconds since 1970, ten hexadecimal digits), the highest class
 * of the chunks that one answer handed out, and 128 bits of an HMAC-SHA256 by the policy's key over: what it is, the policy,
 * who was given it, when, and the class. Whoever has it can neither raise nor lower it, nor use another's. It names the
 * class by name, so that it outlives a new revision of the policy; a class that is gone makes it none.
 */
import { Bytes } from '../bytes';
import { enumMembers, enumOrdinal, section } from '../decision/tables';
import { T_RECEIPTS } from '../abi';
import { keyStates } from '../edit/policy-key';
import { beginHmac, endHmac } from '../http/hmac';
import { put } from '../http/literal';
import { addToHash } from '../http/sha256';
import { Session } from '../session/session-state';
import { RECEIPTS_ENUM, RECEIPTS_PREFIX } from './layout';

/** How long a receipt is believed. */
export const RECEIPT_SECONDS_MAX: i64 = 86_400;
/** How far the clock of the sidecar that gave it may be ahead. */
const AHEAD_SECONDS_MAX: i64 = 300;
/** Names have at most 64 bytes. */
const RECEIPT_BYTES_MAX: u32 = 160;
const BEGINNING: string = 'writ1.';
const BEGINNING_BYTES: u32 = 6;
const TIME_DIGITS: u32 = 10;
const MAC_BYTES: u32 = 16;
/** All but the class. */
const FIXED_BYTES: u32 = BEGINNING_BYTES + TIME_DIGITS + 1 + 1 + MAC_BYTES * 2;

const mac: usize = memory.data(32, 8);
const number: usize = memory.data(8, 8);

/** Appends the receipt of a class, by its ordinal. The caller is known, and the key is there. */
export function appendReceipt(out: Bytes, s: Session, ordinal: u32): void {
  const seconds = s.now / 1_000;
  const member = <usize>load<u32>(enumMembers(load<u32>(section(T_RECEIPTS), RECEIPTS_ENUM))) + (ordinal << 3);
  const name = <usize>load<u32>(member);
  const nameBytes = load<u32>(member, 4);
  sign(s, seconds, name, nameBytes);
  put(out, BEGINNING);
  for (let i: u32 = TIME_DIGITS; i > 0; i -= 1) out.push(digit((<u32>(seconds >> ((<i64>(i - 1)) << 2))) & 15));
  out.push(0x2e);
  out.append(name, nameBytes);
  out.push(0x2e);
  for (let i: u32 = 0; i < MAC_BYTES; i += 1) {
    const byte = <u32>load<u8>(mac + i);
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
  }
}

/** The ordinal of its class; -1 where it is none of this policy's for this caller, or too old. */
export function readReceipt(s: Session, p: usize, length: u32): i32 {
  if (length <= FIXED_BYTES || length > RECEIPT_BYTES_MAX) return -1;
  for (let i: u32 = 0; i < BEGINNING_BYTES; i += 1)
    if (<u32>load<u8>(p + i) != <u32>load<u16>(changetype<usize>(BEGINNING) + (i << 1))) return -1;
  let seconds: i64 = 0;
  for (let i: u32 = 0; i < TIME_DIGITS; i += 1) {
    const value = valueOf(load<u8>(p + BEGINNING_BYTES + i));
    if (value < 0) return -1;
    seconds = (seconds << 4) | (<i64>value);
  }
  const name = p + BEGINNING_BYTES + TIME_DIGITS + 1;
  const nameBytes = length - FIXED_BYTES;
  const digits = name + nameBytes + 1;
  if (load<u8>(name - 1) != 0x2e || load<u8>(digits - 1) != 0x2e) return -1;
  sign(s, seconds, name, nameBytes);
  // All are looked at, so that time tells nothing.
  let differs: u32 = 0;
  for (let i: u32 = 0; i < MAC_BYTES; i += 1) {
    const high = valueOf(load<u8>(digits + i * 2));
    const low = valueOf(load<u8>(digits + i * 2 + 1));
    if (high < 0 || low < 0) return -1;
    differs |= (<u32>load<u8>(mac + i)) ^ (<u32>((high << 4) | low));
  }
  const age = s.now / 1_000 - seconds;
  if (differs != 0 || age > RECEIPT_SECONDS_MAX || age < -AHEAD_SECONDS_MAX) return -1;
  return enumOrdinal(load<u32>(section(T_RECEIPTS), RECEIPTS_ENUM), name, nameBytes);
}

function sign(s: Session, seconds: i64, name: usize, nameBytes: u32): void {
  const prefix = section(T_RECEIPTS) + RECEIPTS_PREFIX;
  beginHmac(keyStates());
  addToHash(<usize>load<u32>(prefix), load<u32>(prefix, 4));
  store<u32>(number, s.callerBytes);
  addToHash(number, 4);
  addToHash(s.caller, s.callerBytes);
  store<i64>(number, seconds);
  addToHash(number, 8);
  addToHash(name, nameBytes);
  endHmac(keyStates(), mac);
}

function digit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** In lower case, as it was given: there is one way to write a receipt. */
function valueOf(c: u32): i32 {
  if (c - 0x30 <= 9) return c - 0x30;
  return c - 0x61 <= 5 ? c - 0x57 : -1;
}
