/**
 * A lane: text that a hit may span (one message, one choice's field, one tool argument), arriving in pieces. It folds,
 * scans what is new, and reports each hit once it cannot grow any more. However the text was cut into pieces, and
 * wherever it was scanned in between, the hits are the same.
 */
import { Bytes } from '../bytes';
import { alloc, free } from '../memory';
import { T_DETECTORS } from '../abi';
import { tables } from '../policy';
import { characterAt, characterBytes, FOLD_AWAY, FOLD_KEEP, foldOf, skipAscii, skipUnfolded } from './fold';
import { H_LOOK_BEHIND } from './layout';
import { chooseForms } from './match';
import { chooseNumbers } from './numbers';
import { forgetOffsets, noteOffset, rawEnd, rawStart } from './offsets';
import { copySpan, SPAN_BYTES, uniteSpans } from './spans';
import { sweep } from './sweep';
import { live, openWindow } from './window';

/** Raw bytes of a lane. More than a request may have. */
export const LANE_BYTES_MAX: u32 = 48 << 20;
/** Text is not moved down for less. */
const DISCARD_LEAST: u32 = 1024;

@unmanaged
export class Lane {
  /** Memory is exhausted or the lane is over its cap: the caller fails its session. */
  failed: bool;
  /** Folded text is the raw text so far: nothing in it folds, and `folded` is unused. */
  private same: bool;
  /** `raw` stands in the caller's memory. */
  private borrowed: bool;
  /** Raw offset of the first byte still kept. */
  base: u32;
  /** Raw bytes appended so far. */
  length: u32;
  hitCount: u32;
  /** Raw offset of the earliest byte that a hit not yet reported may cover; `length` when there is none. */
  hold: u32;
  /** Detectors of interest, by their position in the policy: bits 0 to 63, 64 to 127. */
  maskLow: u64;
  maskHigh: u64;
  private raw: Bytes;
  private folded: Bytes;
  private map: Bytes;
  /** Spans and hits not yet reported, in folded offsets. */
  private spans: Bytes;
  private hits: Bytes;
  /** Raw offset up to which text is folded. */
  private foldedTo: u32;
  /** Folded offset of the first folded byte still kept, and of the end. */
  private foldedBase: u32;
  private foldedEnd: u32;
  /** Folded offset from which the next scan looks for anchors. */
  private resume: u32;

  /** An empty lane that looks for every detector; address 0 when memory is exhausted. */
  static create(): Lane {
    const p = alloc(<u32>offsetof<Lane>());
    if (p == 0) return changetype<Lane>(0);
    memory.fill(p, 0, offsetof<Lane>());
    const lane = changetype<Lane>(p);
    lane.raw = Bytes.create();
    lane.folded = Bytes.create();
    lane.map = Bytes.create();
    lane.spans = Bytes.create();
    lane.hits = Bytes.create();
    if (isNone(lane.raw) || isNone(lane.folded) || isNone(lane.map) || isNone(lane.spans) || isNone(lane.hits)) {
      lane.destroy();
      return changetype<Lane>(0);
    }
    lane.same = true;
    lane.maskLow = -1;
    lane.maskHigh = -1;
    return lane;
  }

  destroy(): void {
    if (this.borrowed) this.raw.ptr = 0;
    destroyBytes(this.raw);
    destroyBytes(this.folded);
    destroyBytes(this.map);
    destroyBytes(this.spans);
    destroyBytes(this.hits);
    free(changetype<usize>(this));
  }

  /** Empty again, for the next text. The mask stays. */
  clear(): void {
    if (this.borrowed) {
      this.raw.ptr = 0;
      this.raw.capacity = 0;
      this.borrowed = false;
    }
    this.raw.clear();
    this.folded.clear();
    this.map.clear();
    this.spans.clear();
    this.hits.clear();
    this.failed = false;
    this.same = true;
    this.base = 0;
    this.length = 0;
    this.hitCount = 0;
    this.hold = 0;
    this.foldedTo = 0;
    this.foldedBase = 0;
    this.foldedEnd = 0;
    this.resume = 0;
  }

  /** Raw UTF-8 text; it may end inside a character. */
  append(ptr: usize, len: u32): void {
    if (this.failed) return;
    if (len > LANE_BYTES_MAX - this.length) {
      this.failed = true;
      return;
    }
    this.raw.append(ptr, len);
    this.length += len;
    if (this.raw.failed) this.failed = true;
  }

  /**
   * The whole text, which stays in the caller's memory: an empty lane uses it without a copy. Nothing is appended to it
   * later.
   */
  borrow(ptr: usize, len: u32): void {
    if (len > LANE_BYTES_MAX) {
      this.failed = true;
      return;
    }
    free(this.raw.ptr);
    this.raw.ptr = ptr;
    this.raw.len = len;
    this.borrowed = true;
    this.length = len;
  }

  /** Looks for hits in all that was appended. `final`: the text ends here, so every right boundary is known. */
  scan(final: bool): void {
    if (this.failed) return;
    const directory = tables();
    const section: usize = directory == 0 ? 0 : <usize>load<u32>(directory + (T_DETECTORS << 2));
    if (section == 0) {
      this.hold = this.length;
      return;
    }
    this.fold(section, final);
    if (this.failed) return;
    const text = this.same ? this.raw.ptr : this.folded.ptr;
    const end = text + (this.foldedEnd - this.foldedBase);
    openWindow(section, text, end, this.foldedBase, final, this.maskLow, this.maskHigh, this.spans);
    if (chooseForms(this.maskLow, this.maskHigh)) chooseNumbers();
    sweep(text + (this.resume - this.foldedBase));
    const resume = <u32>(live - text) + this.foldedBase;
    if (resume > this.resume) this.resume = resume;
    this.settle();
    if (this.spans.failed || this.hits.failed) this.failed = true;
  }

  /** Address of the raw byte at `base`. */
  text(): usize {
    return this.raw.ptr;
  }

  /** Address of a hit: detector, start, end, three u32; offsets in raw text since the lane's start. */
  hit(i: u32): usize {
    return this.hits.ptr + i * SPAN_BYTES;
  }

  /**
   * Text before this raw offset is not asked for any more. The lane keeps what it needs itself: `base` says what is
   * left.
   */
  discard(before: u32): void {
    if (this.failed || this.borrowed) return;
    const directory = tables();
    const section: usize = directory == 0 ? 0 : <usize>load<u32>(directory + (T_DETECTORS << 2));
    if (section == 0) {
      const all = before < this.length ? before : this.length;
      if (all - this.base >= DISCARD_LEAST) this.dropRaw(all);
      return;
    }
    const wanted = before < this.hold ? before : this.hold;
    const lookBehind = load<u32>(section + H_LOOK_BEHIND);
    // Folded text is never longer than raw text: what is `lookBehind` folded bytes before the resumption is kept in
    // both.
    let keep = this.resume > lookBehind ? this.resume - lookBehind : 0;
    if (this.same) {
      if (wanted < keep) keep = wanted;
    } else {
      while (keep > this.foldedBase && rawStart(this.map, keep) > wanted) {
        const ahead = rawStart(this.map, keep) - wanted;
        keep = keep - this.foldedBase > ahead ? keep - ahead : this.foldedBase;
      }
    }
    if (keep < this.foldedBase + DISCARD_LEAST) return;
    this.dropRaw(this.same ? keep : rawStart(this.map, keep));
    if (!this.same) {
      const gone = keep - this.foldedBase;
      memory.copy(this.folded.ptr, this.folded.ptr + gone, this.folded.len - gone);
      this.folded.len -= gone;
      forgetOffsets(this.map, keep);
    }
    this.foldedBase = keep;
  }

  private dropRaw(before: u32): void {
    const gone = before - this.base;
    memory.copy(this.raw.ptr, this.raw.ptr + gone, this.raw.len - gone);
    this.raw.len -= gone;
    this.base = before;
  }

  /** Folds what has come since. While nothing folds the raw text is the folded one, and is not copied. */
  private fold(section: usize, final: bool): void {
    const start = this.raw.ptr - this.base;
    const end = this.raw.ptr + this.raw.len;
    let p = start + this.foldedTo;
    let plain = p;
    while (true) {
      p = skipAscii(p, end);
      if (p == end) break;
      const next = skipUnfolded(section, p, end);
      if (next != p) {
        p = next;
        continue;
      }
      const code = characterAt(p, end);
      let bytes = characterBytes;
      if (bytes == 0) {
        if (!final) break;
        bytes = 1;
      }
      const becomes = foldOf(section, code);
      if (becomes == FOLD_KEEP) {
        p += bytes;
        continue;
      }
      if (this.same) {
        this.same = false;
        this.folded.clear();
        plain = this.raw.ptr;
      }
      this.folded.append(plain, <u32>(p - plain));
      const at = this.foldedBase + this.folded.len;
      if (becomes == FOLD_AWAY) {
        noteOffset(this.map, at, <u32>(p - start) + bytes, 1);
      } else {
        noteOffset(this.map, at, <u32>(p - start), bytes);
        noteOffset(this.map, at + 1, <u32>(p - start) + bytes, 1);
        this.folded.push(becomes);
      }
      p += bytes;
      plain = p;
    }
    this.foldedTo = <u32>(p - start);
    if (this.same) {
      this.foldedEnd = this.foldedTo;
      return;
    }
    this.folded.append(plain, <u32>(p - plain));
    this.foldedEnd = this.foldedBase + this.folded.len;
    if (this.folded.failed || this.map.failed) this.failed = true;
  }

  /** Unites spans, reports the hits that are final and in their turn, and keeps the rest. */
  private settle(): void {
    const spans = this.spans;
    uniteSpans(spans);
    const settled = this.resume;
    // A hit that ends behind `settled` may still grow. Those that start behind its start wait with it, so that reports
    // are in order.
    let hold = settled;
    const end = spans.ptr + spans.len;
    for (let at = spans.ptr; at < end; at += SPAN_BYTES) {
      if (load<u32>(at, 8) > settled && load<u32>(at, 4) < hold) hold = load<u32>(at, 4);
    }
    let kept = spans.ptr;
    for (let at = spans.ptr; at < end; at += SPAN_BYTES) {
      const from = load<u32>(at, 4);
      if (from < hold) {
        this.report(load<u32>(at), from, load<u32>(at, 8));
      } else if (from < settled) {
        copySpan(kept, at);
        kept += SPAN_BYTES;
      }
      // What starts at or behind `settled` is found again.
    }
    spans.len = <u32>(kept - spans.ptr);
    this.hold = hold == this.foldedEnd ? this.foldedTo : this.same ? hold : rawStart(this.map, hold);
  }

  private report(detector: u32, from: u32, to: u32): void {
    if (!this.hits.reserve(SPAN_BYTES)) return;
    this.hits.u32(detector);
    this.hits.u32(this.same ? from : rawStart(this.map, from));
    this.hits.u32(this.same ? to : rawEnd(this.map, to));
    this.hitCount += 1;
  }
}

function isNone(bytes: Bytes): bool {
  return changetype<usize>(bytes) == 0;
}

function destroyBytes(bytes: Bytes): void {
  if (!isNone(bytes)) bytes.destroy();
}
