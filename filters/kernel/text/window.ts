/**
 * The text that is being scanned: the section of tables, the folded bytes, and what the scan has found so far. One scan
 * runs at a time.
 */
import { Bytes } from '../bytes';
import { H_DETECTORS } from './layout';

/** Start of the section T_DETECTORS. */
export let section: usize = 0;
/** First kept byte, and the end of what is there. */
export let first: usize = 0;
export let end: usize = 0;
/** Whether the text ends at `end`. */
export let final: bool = false;
/** Detectors that are of interest. */
export let wantedLow: u64 = 0;
export let wantedHigh: u64 = 0;
/** The earliest address that a match may cover which is not settled yet; `end` when there is none. */
export let live: usize = 0;
/** Bytes read by automata and validators: what tests bound. */
export let steps: u64 = 0;

/** Offset of `first` in the lane's folded text. */
let firstOffset: u32 = 0;
let found: Bytes = changetype<Bytes>(0);

export function openWindow(
  tables: usize,
  from: usize,
  to: usize,
  offset: u32,
  isFinal: bool,
  low: u64,
  high: u64,
  spans: Bytes,
): void {
  section = tables;
  first = from;
  end = to;
  firstOffset = offset;
  final = isFinal;
  wantedLow = low;
  wantedHigh = high;
  live = to;
  found = spans;
}

export function wanted(detector: u32): bool {
  return ((detector < 64 ? wantedLow >> detector : wantedHigh >> (detector - 64)) & 1) != 0;
}

export function count(bytes: usize): void {
  steps += <u64>bytes;
}

/** A match that begins at `p` or behind it is not settled. */
export function keepLive(p: usize): void {
  if (p < live) live = p;
}

/** An accepted span, as [detector, start, end] in the lane's folded text. */
export function foundSpan(detector: u32, from: usize, to: usize): void {
  if (!found.reserve(12)) return;
  const at = found.ptr + found.len;
  store<u32>(at, detector);
  store<u32>(at + 4, <u32>(from - first) + firstOffset);
  store<u32>(at + 8, <u32>(to - first) + firstOffset);
  found.len += 12;
}

export function detectorsOf(tables: usize): u32 {
  return load<u32>(tables + H_DETECTORS);
}
