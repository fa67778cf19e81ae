/** One lane of a stream: scanning what is new in it, and settling what cannot change any more. */
import { bitOf } from '../bits';
import { Bytes } from '../bytes';
import { buildClusters, HIT_BYTES, HIT_DETECTOR, HIT_END, isInPlaceholder, sortHits } from '../edit/hits';
import { parsePlaceholder } from '../edit/placeholders';
import { isPending } from '../edit/arguments';
import { LANE_ARGUMENTS } from '../protocol/places';
import { NO_MESSAGE } from '../prompt/messages';
import { HITS_MAX, noteHit, notePlaceholder } from '../edit/texts';
import { Session } from '../session/session-state';
import { redactsAt, waitsForRedactions } from '../session/redact-calls';
import { beginInCall, endInCall, noteCall, positionOf, readsCalls } from '../session/tool-calls';
import { Channel } from './stream-state';

/** Scans what was appended since the last time; `c.finished`: nothing more will come. */
export function scanChannel(s: Session, c: Channel): void {
  if (c.field != LANE_ARGUMENTS || !readsCalls(s)) return scanLane(s, c);
  // Arguments that no event has opened are a call without a name.
  noteCall(s, c.choice, c.tool);
  if (c.call == 0) c.call = positionOf(s, c.choice, c.tool);
  beginInCall(s);
  scanLane(s, c);
  endInCall(s, c.choice, c.tool, true);
}

function scanLane(s: Session, c: Channel): void {
  const lane = c.laneOf();
  const hits = c.hitBytes();
  lane.scan(c.finished);
  if (lane.failed) {
    s.failed = true;
    return;
  }
  // Hits of before are sorted, and so are the placeholders that come behind them now.
  const before = hits.len / HIT_BYTES;
  const waits = searchPlaceholders(s, c);
  const placeholders = hits.len / HIT_BYTES;
  for (; c.taken < lane.hitCount; c.taken += 1) {
    const h = lane.hit(c.taken);
    const start = load<u32>(h, 4);
    const end = load<u32>(h, 8);
    if (isInPlaceholder(hits.ptr, 0, before, start, end) || isInPlaceholder(hits.ptr, before, placeholders, start, end))
      continue;
    noteHit(s, hits, load<u32>(h), start, end, lane.text() + (start - lane.base), NO_MESSAGE);
  }
  sortHits(hits.ptr, hits.len / HIT_BYTES);
  c.hold = holdOf(c, waits);
  // Those of a call that is not decided yet stay until it is.
  if (hits.failed || s.valuesOf().failed || hits.len > HITS_MAX * HIT_BYTES) s.failed = true;
}

/** Puts the hits that are settled into clusters, by the decision in `s.result`; of a call, once that is decided, too. */
export function settleChannel(s: Session, c: Channel): void {
  if (waitsForRedactions(s, c.call)) return;
  const hits = c.hitBytes();
  const clusters = c.clusterBytes();
  const settled = countSettled(c);
  if (settled > 0) {
    if (c.cluster > 0 && c.cluster * 20 == clusters.len) {
      clusters.clear();
      c.cluster = 0;
    }
    buildClusters(
      clusters,
      hits.ptr,
      settled,
      c.hold,
      c.field == LANE_ARGUMENTS,
      true,
      s.result,
      redactsAt(s.calls, c.call),
      s.facts,
      s.valuesOf(),
      s.nonce,
      changetype<Bytes>(s.replacements),
    );
  }
  if (clusters.failed || changetype<Bytes>(s.replacements).failed) s.failed = true;
  forget(c, settled);
}

/** Of a reply that is only read, not edited yet: what is settled is noted, and not needed again. */
export function forgetSettled(c: Channel): void {
  forget(c, countSettled(c));
}

function countSettled(c: Channel): u32 {
  const hits = c.hitBytes();
  const count = hits.len / HIT_BYTES;
  let settled: u32 = 0;
  while (settled < count && load<u32>(hits.ptr + settled * HIT_BYTES) < c.hold) settled += 1;
  return settled;
}

function forget(c: Channel, settled: u32): void {
  const hits = c.hitBytes();
  memory.copy(hits.ptr, hits.ptr + settled * HIT_BYTES, hits.len - settled * HIT_BYTES);
  hits.len -= settled * HIT_BYTES;
  c.laneOf().discard(c.hold < c.searched ? c.hold : c.searched);
}

/**
 * Before a refusal: nothing leaves from the first hit on that one of these detectors gave, and what is settled before
 * is put into clusters.
 */
export function holdBefore(s: Session, c: Channel, low: u64, high: u64): void {
  const hits = c.hitBytes();
  const count = hits.len / HIT_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const h = hits.ptr + i * HIT_BYTES;
    const detector = <u32>load<u16>(h, HIT_DETECTOR);
    const isOne = ((detector < 64 ? low : high) & bitOf(detector)) != 0;
    if (isOne && load<u32>(h) < c.hold) c.hold = load<u32>(h);
  }
  settleChannel(s, c);
}

/**
 * Up to where the lane is settled: not behind a match that may still grow, a placeholder that may still be completed,
 * or a hit that ends behind.
 */
function holdOf(c: Channel, waits: u32): u32 {
  const lane = c.laneOf();
  if (c.finished) return 0xffffffff;
  let hold = lane.hold < waits ? lane.hold : waits;
  const hits = c.hitBytes();
  for (let i = hits.len / HIT_BYTES; i > 0; i -= 1) {
    const h = hits.ptr + (i - 1) * HIT_BYTES;
    // Those behind begin where this one does, or later: none of them can end behind the new hold and begin before it.
    if (load<u32>(h) < hold && load<u32>(h, HIT_END) > hold) hold = load<u32>(h);
  }
  return hold;
}

/** Looks for placeholders in what is new; answers where one may begin that is not complete, or the end. */
function searchPlaceholders(s: Session, c: Channel): u32 {
  const lane = c.laneOf();
  const values = s.valuesOf();
  if (!values.hasPlaceholders()) {
    c.searched = lane.length;
    return lane.length;
  }
  const url = c.url();
  const text = lane.text() - lane.base;
  const end = text + lane.length;
  while (c.searched < lane.length) {
    const p = text + c.searched;
    const b = <u32>load<u8>(p);
    if (b == 0x5b) {
      const n = parsePlaceholder(p, end, s.nonce);
      if (n < 0 && !c.finished) return c.searched;
      if (n > 0) {
        notePlaceholder(s, c.hitBytes(), values, c.searched, <u32>n, url.inside);
        c.searched += n;
        continue;
      }
    }
    url.step(b);
    c.searched += 1;
  }
  return lane.length;
}

/** Whether an escape inside the arguments stands open at the lane's end. */
export function isOpen(c: Channel): bool {
  return isPending(c.state);
}
