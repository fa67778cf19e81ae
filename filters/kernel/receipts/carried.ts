/**
 * The receipts that a prompt carries: `x-writ-receipt`, in one header or several, with commas between. The highest class
 * counts. One that is not to be believed fails the fact: its sender meant to say something, and nobody knows what.
 */
import { FACT_PROMPT_RECEIPTS, T_RECEIPTS } from '../abi';
import { setFailed, setUnknown, setValue } from '../decision/api';
import { section } from '../decision/tables';
import { hasKey } from '../edit/policy-key';
import { headerCount, headerName, headerNameBytes, headerValue, headerValueBytes, nextHeader } from '../http/headers';
import { is } from '../http/literal';
import { Session } from '../session/session-state';
import { readReceipt } from './receipt';

/** Receipts of one prompt; with more the fact has failed. */
const RECEIPTS_MAX: u32 = 64;

let highest: i32 = -1;
let seen: u32 = 0;
let isBroken: bool = false;

/** The caller is known. */
export function keepReceipts(s: Session, headers: usize): void {
  if (section(T_RECEIPTS) == 0) return;
  highest = -1;
  seen = 0;
  isBroken = false;
  const count = headerCount(headers);
  let at: usize = 0;
  for (let i: u32 = 0; i < count && !isBroken; i += 1) {
    at = nextHeader(headers, i, at);
    if (is(headerName, headerNameBytes, 'x-writ-receipt')) readList(s, headerValue, headerValueBytes);
  }
  if (isBroken) setFailed(s.facts, FACT_PROMPT_RECEIPTS);
  else if (highest < 0) setUnknown(s.facts, FACT_PROMPT_RECEIPTS);
  else setValue(s.facts, FACT_PROMPT_RECEIPTS, highest);
}

function readList(s: Session, value: usize, bytes: u32): void {
  const end = value + bytes;
  for (let p = value; p < end && !isBroken; p += 1) {
    const from = p;
    while (p < end && load<u8>(p) != 0x2c) p += 1;
    readOne(s, from, p);
  }
}

function readOne(s: Session, from: usize, to: usize): void {
  while (from < to && isBlank(load<u8>(from))) from += 1;
  while (to > from && isBlank(load<u8>(to - 1))) to -= 1;
  // Of a list with nothing between two commas nothing is meant.
  if (from == to) return;
  seen += 1;
  const ordinal = seen > RECEIPTS_MAX || s.callerBytes == 0 || !hasKey() ? -1 : readReceipt(s, from, <u32>(to - from));
  if (ordinal < 0) isBroken = true;
  else if (ordinal > highest) highest = ordinal;
}

function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09;
}
