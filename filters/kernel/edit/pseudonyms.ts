/**
 * `[EMAIL:kdhqgvbnjtcmfrpskdh]`: the detector's name in upper case, and 76 bits of an HMAC-SHA256, a letter for four. The
 * same value has the same one wherever PATH has the same value, and nobody without the key can tell which value it is.
 *
 * What is hashed: this use of the key, the policy, PATH (compiler/tables writes the three), the detector and PATH's value,
 * each with its length before it, then the value in its normal form, which ends it: no two of these are the same bytes.
 */
import { FACT_KNOWN, SLOT_AUX, SLOT_BYTES, SLOT_STATE, SLOT_VALUE } from '../abi';
import { Bytes } from '../bytes';
import {
  FACT_TYPE,
  KIND_ENUM,
  KIND_TEXT,
  MODE_FACT,
  MODE_PREFIX,
  MODE_STAYS,
  TYPE_ENUM,
  TYPE_KIND,
} from '../decision/layout';
import { enumMembers, factRecord, redactionRecord } from '../decision/tables';
import { beginHmac, endHmac } from '../http/hmac';
import { addToHash } from '../http/sha256';
import { countMasked, hasKey, keyStates } from './policy-key';
import { appendMask, appendUpper, detectorName } from './placeholders';
import { Values } from './values';

/** Fewer than the shortest random string that is taken for a key (filters/detectors/api-key.ts). */
const PSEUDONYM_LETTERS: u32 = 19;
/** Consonants make no words; no digit is among them, so that no number is found in a pseudonym. */
const LETTERS: usize = memory.data<u8>([
  0x62, 0x63, 0x64, 0x66, 0x67, 0x68, 0x6a, 0x6b, 0x6d, 0x6e, 0x70, 0x71, 0x72, 0x73, 0x74, 0x76,
]);
/** Hashes of one exchange, about 2 µs each. What is found beyond them is masked. */
const PSEUDONYMS_MAX: u32 = 4_096;
const BLOCK_BYTES: u32 = 64;

const block: usize = memory.data(64, 8);
const hash: usize = memory.data(32, 8);
const number: usize = memory.data(8, 8);

const letters: usize = memory.data(24, 8);

/** A whole mask where PATH has no value, no key is there, or the exchange has had PSEUDONYMS_MAX. */
export function appendPseudonym(out: Bytes, mode: u32, detector: u32, value: u32, values: Values, facts: usize): void {
  const record = redactionRecord(mode);
  const fact = load<u32>(record, MODE_FACT);
  const slot = facts + fact * SLOT_BYTES;
  if (<u32>load<u8>(slot, SLOT_STATE) != FACT_KNOWN) return appendMask(out, detector);
  if (!hasKey()) {
    countMasked();
    return appendMask(out, detector);
  }
  let made = values.pseudonym(value, mode);
  if (made == 0) {
    if (values.hashes >= PSEUDONYMS_MAX) return appendMask(out, detector);
    values.hashes += 1;
    hashValue(record, detector, fact, slot, values.textOf(value), values.lengthOf(value));
    for (let i: u32 = 0; i < PSEUDONYM_LETTERS; i += 1) store<u8>(letters + i, letter(i));
    made = letters;
    if (load<u32>(record, MODE_STAYS) != 0) values.keepPseudonym(value, mode, letters, PSEUDONYM_LETTERS);
  }
  out.push(0x5b);
  appendUpper(out, detector);
  out.push(0x3a);
  out.append(made, PSEUDONYM_LETTERS);
  out.push(0x5d);
}

function hashValue(record: usize, detector: u32, fact: u32, slot: usize, value: usize, length: u32): void {
  beginHmac(keyStates());
  const prefix = record + MODE_PREFIX;
  addToHash(<usize>load<u32>(prefix), load<u32>(prefix, 4));
  const name = detectorName(detector);
  addPart(<usize>load<u32>(name), load<u32>(name, 4));
  addValueOf(fact, slot);
  addNormal(value, length);
  endHmac(keyStates(), hash);
}

function addPart(p: usize, length: u32): void {
  store<u32>(number, length);
  addToHash(number, 4);
  addToHash(p, length);
}

/** Text as it is, a member by its name (its position changes with the policy), all else as the slot's number. */
function addValueOf(fact: u32, slot: usize): void {
  const type = factRecord(fact) + FACT_TYPE;
  const kind = <u32>load<u8>(type, TYPE_KIND);
  if (kind == KIND_TEXT) {
    addPart(<usize>load<u64>(slot, SLOT_VALUE), load<u32>(slot, SLOT_AUX));
  } else if (kind == KIND_ENUM) {
    const member = <usize>load<u32>(enumMembers(load<u16>(type, TYPE_ENUM))) + (load<u32>(slot, SLOT_VALUE) << 3);
    addPart(<usize>load<u32>(member), load<u32>(member, 4));
  } else addPart(slot + SLOT_VALUE, 8);
}

/**
 * The value without what people write differently: ASCII letters in lower case, and without blanks, dashes and brackets. In an
 * address (`@`) those are part of the name.
 */
function addNormal(p: usize, length: u32): void {
  let isAddress = false;
  for (let i: u32 = 0; i < length; i += 1) if (load<u8>(p + i) == 0x40) isAddress = true;
  let filled: u32 = 0;
  for (let i: u32 = 0; i < length; i += 1) {
    const c = <u32>load<u8>(p + i);
    if (!isAddress && isSeparator(c)) continue;
    store<u8>(block + filled, <u8>(c - 0x41 <= 25 ? c | 0x20 : c));
    filled += 1;
    if (filled < BLOCK_BYTES) continue;
    addToHash(block, filled);
    filled = 0;
  }
  addToHash(block, filled);
  memory.fill(block, 0, BLOCK_BYTES);
}

function isSeparator(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0x2d || c == 0x28 || c == 0x29;
}

/** The i-th four bits of the hash, from its first byte's higher half on, as a letter. */
function letter(i: u32): u8 {
  const two = <u32>load<u8>(hash + (i >> 1));
  return load<u8>(LETTERS + ((i & 1) == 0 ? two >> 4 : two & 15));
}
