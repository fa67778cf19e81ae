/**
 * `[PAYMENT_CARD_1_k3f9x2m7qd4p]`: the detector's name in upper case, the value's number, and the exchange's nonce, so
 * that no text of a prompt can be taken for one. Masks are `[PAYMENT_CARD]`.
 */
import { T_ENUMS } from '../abi';
import { Bytes } from '../bytes';
import { enumMembers, section } from '../decision/tables';
import { appendNumber } from '../json/escape';

export const NONCE_CHARACTERS: u32 = 12;
/** A placeholder is never longer: a name has at most 64 characters. */
export const PLACEHOLDER_BYTES_MAX: u32 = 96;
const DETECTOR_NAME_MAX: u32 = 64;

export function appendPlaceholder(out: Bytes, detector: u32, number: u32, nonce: u64): void {
  out.push(0x5b);
  appendUpper(out, detector);
  out.push(0x5f);
  appendNumber(out, number);
  out.push(0x5f);
  for (let i: u32 = 0; i < NONCE_CHARACTERS; i += 1) out.push(nonceCharacter(nonce, i));
  out.push(0x5d);
}

export function appendMask(out: Bytes, detector: u32): void {
  out.push(0x5b);
  appendUpper(out, detector);
  out.push(0x5d);
}

/** What `parsePlaceholder` found. */
export let parsedDetector: u32 = 0;
export let parsedNumber: u32 = 0;

/**
 * Bytes of the placeholder of this exchange at `p` (a `[`), 0 if there is none, -1 if [p, end) may be the beginning of
 * one.
 */
export function parsePlaceholder(p: usize, end: usize, nonce: u64): i32 {
  const most = <usize>PLACEHOLDER_BYTES_MAX;
  const limit = end - p > most ? p + most : end;
  let q = p + 1;
  while (q < limit && isPlaceholderByte(load<u8>(q))) q += 1;
  if (q == limit) return limit == end && end - p < most ? -1 : 0;
  if (load<u8>(q) != 0x5d) return 0;
  const length = <u32>(q - p - 1);
  if (length < NONCE_CHARACTERS + 4) return 0;
  let at = q - NONCE_CHARACTERS;
  for (let i: u32 = 0; i < NONCE_CHARACTERS; i += 1) {
    if (<u32>load<u8>(at + i) != nonceCharacter(nonce, i)) return 0;
  }
  at -= 1;
  if (load<u8>(at) != 0x5f) return 0;
  const digitsEnd = at;
  while (at > p + 1 && <u32>load<u8>(at - 1) - 0x30 <= 9) at -= 1;
  if (at == digitsEnd || digitsEnd - at > 6 || load<u8>(at) == 0x30 || at <= p + 2 || load<u8>(at - 1) != 0x5f)
    return 0;
  let number: u32 = 0;
  for (let d = at; d < digitsEnd; d += 1) number = number * 10 + <u32>load<u8>(d) - 0x30;
  const detector = detectorOfUpper(p + 1, <u32>(at - 1 - (p + 1)));
  if (detector < 0) return 0;
  parsedDetector = detector;
  parsedNumber = number;
  return <i32>(q + 1 - p);
}

/** The compiler's own enums are the last of T_ENUMS: detectors, models, roles. */
const OWN_ENUMS: u32 = 3;

/** Place (address, count) of the list of detectors' names, in the order of their ordinals. */
function detectorList(): usize {
  const count = load<u32>(section(T_ENUMS));
  return count < OWN_ENUMS ? 0 : enumMembers(count - OWN_ENUMS);
}

export function detectorCount(): u32 {
  const list = detectorList();
  return list == 0 ? 0 : load<u32>(list, 4);
}

/** Place (address, bytes) of the detector's name. */
export function detectorName(detector: u32): usize {
  return <usize>load<u32>(detectorList()) + (detector << 3);
}

function detectorOfUpper(p: usize, length: u32): i32 {
  const count = detectorCount();
  for (let d: u32 = 0; d < count; d += 1) {
    const name = detectorName(d);
    if (load<u32>(name, 4) != length) continue;
    let i: u32 = 0;
    while (i < length && upper(load<u8>(<usize>load<u32>(name) + i)) == <u32>load<u8>(p + i)) i += 1;
    if (i == length) return d;
  }
  return -1;
}

export function appendUpper(out: Bytes, detector: u32): void {
  if (detector >= detectorCount()) return;
  const name = detectorName(detector);
  const length = load<u32>(name, 4) < DETECTOR_NAME_MAX ? load<u32>(name, 4) : DETECTOR_NAME_MAX;
  for (let i: u32 = 0; i < length; i += 1) out.push(upper(load<u8>(<usize>load<u32>(name) + i)));
}

function upper(c: u32): u32 {
  return c - 0x61 <= 25 ? c - 0x20 : c;
}

/** RFC 4648's base 32, in lower case. */
function nonceCharacter(nonce: u64, i: u32): u32 {
  const v = (<u32>(nonce >> (<u64>(i * 5)))) & 31;
  return v < 26 ? 0x61 + v : 0x18 + v;
}

function isPlaceholderByte(c: u32): bool {
  return c - 0x30 <= 9 || c - 0x41 <= 25 || c - 0x61 <= 25 || c == 0x5f;
}
