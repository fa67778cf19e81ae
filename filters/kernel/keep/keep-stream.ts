/**
 * A streamed reply that may be kept: the text of each lane is gathered as it comes, and masked when nothing more is added
 * to it. What a value may still have grown into when the gathering ended is left out.
 */
import { Bytes } from '../bytes';
import { newResult } from '../decision/api';
import {
  buildClusters,
  CLUSTER_BYTES,
  CLUSTER_END,
  CLUSTER_LENGTH,
  CLUSTER_TEXT,
  HIT_NEW,
  pushHit,
  sortHits,
} from '../edit/hits';
import { appendEscaped } from '../json/escape';
import { put } from '../http/literal';
import { free } from '../memory';
import { NO_MESSAGE } from '../prompt/messages';
import { COPY_BYTES_MAX, ENTRY_BYTES, maskEverything, putWithin } from '../review/review-copy';
import { Session } from '../session/session-state';
import { Channel } from '../stream/stream-state';

/** Of a stream's lanes together, before they are masked. */
const GATHERED_BYTES_MAX: u32 = 131_072;
const NO_VALUE: u32 = 0;

/** Text that was appended to the lane. */
export function keepText(s: Session, c: Channel, p: usize, length: u32): void {
  if (!s.keeping || s.keptReply != 0 || c.keptCut) return;
  if (c.kept == 0) c.kept = changetype<usize>(Bytes.create());
  if (c.kept == 0 || s.keptBytes + length > GATHERED_BYTES_MAX) {
    c.keptCut = true;
    s.keptCut = true;
    return;
  }
  s.keptBytes += length;
  changetype<Bytes>(c.kept).append(p, length);
}

/** Nothing more is gathered: one entry a choice, its lanes in the order in which they began. */
export function keepStream(s: Session): void {
  if (!s.keeping || s.keptReply != 0) return;
  const out = Bytes.create();
  const lanes = Bytes.create();
  const masking = newResult();
  if (changetype<usize>(out) != 0 && changetype<usize>(lanes) != 0 && masking != 0) {
    s.keptReply = changetype<usize>(out);
    maskEverything(s, masking);
    putChoices(s, out, lanes, masking);
  } else destroy(out);
  destroy(lanes);
  free(masking);
}

function putChoices(s: Session, out: Bytes, lanes: Bytes, masking: usize): void {
  gather(s, lanes);
  const count = lanes.len >> 2;
  out.push(0x5b);
  for (let i: u32 = 0; i < count; i += 1) {
    // A choice's lanes are all taken out with its first.
    const first = <usize>load<u32>(lanes.ptr + (i << 2));
    if (first == 0) continue;
    if (out.len + ENTRY_BYTES > COPY_BYTES_MAX) {
      s.keptCut = true;
      break;
    }
    if (out.len > 1) out.push(0x2c);
    put(out, '{"role":"assistant","content":"');
    for (let j = i; j < count; j += 1) {
      const at = lanes.ptr + (j << 2);
      const lane = <usize>load<u32>(at);
      if (lane == 0 || changetype<Channel>(lane).choice != changetype<Channel>(first).choice) continue;
      if (j > i) put(out, '\\n');
      putMasked(s, out, changetype<Channel>(lane), masking);
      store<u32>(at, 0);
    }
    put(out, '"}');
  }
  out.push(0x5d);
}

/** The lanes that have text, the oldest first: the list begins with the youngest. */
function gather(s: Session, lanes: Bytes): void {
  const count = s.streamOf().channelCount;
  if (!lanes.reserve(count << 2)) return;
  let at = lanes.ptr + (count << 2);
  for (let p = s.streamOf().channels; p != 0; p = changetype<Channel>(p).next) {
    at -= 4;
    store<u32>(at, changetype<Channel>(p).kept == 0 ? 0 : <u32>p);
  }
  lanes.len = count << 2;
}

function putMasked(s: Session, out: Bytes, c: Channel, masking: usize): void {
  const text = changetype<Bytes>(c.kept);
  const lane = s.partLaneOf();
  const hits = Bytes.create();
  const clusters = Bytes.create();
  const replacements = Bytes.create();
  const masked = Bytes.create();
  if (
    changetype<usize>(lane) != 0 &&
    changetype<usize>(hits) != 0 &&
    changetype<usize>(clusters) != 0 &&
    changetype<usize>(replacements) != 0 &&
    changetype<usize>(masked) != 0
  ) {
    const isWhole = c.finished && !c.keptCut;
    lane.append(text.ptr, text.len);
    lane.scan(isWhole);
    let end = isWhole ? text.len : lane.hold;
    for (let i: u32 = 0; i < lane.hitCount; i += 1) {
      const h = lane.hit(i);
      pushHit(hits, load<u32>(h, 4), load<u32>(h, 8), load<u32>(h), HIT_NEW, NO_VALUE, NO_MESSAGE);
      if (load<u32>(h, 4) < end && load<u32>(h, 8) > end) end = load<u32>(h, 4);
    }
    sortHits(hits.ptr, lane.hitCount);
    buildClusters(
      clusters,
      hits.ptr,
      lane.hitCount,
      end,
      false,
      false,
      masking,
      0,
      s.facts,
      s.valuesOf(),
      s.nonce,
      replacements,
    );
    let at: u32 = 0;
    for (let i: u32 = 0; i < clusters.len; i += CLUSTER_BYTES) {
      const cluster = clusters.ptr + i;
      appendEscaped(masked, text.ptr + at, load<u32>(cluster) - at);
      masked.append(replacements.ptr + load<u32>(cluster, CLUSTER_TEXT), load<u32>(cluster, CLUSTER_LENGTH));
      at = load<u32>(cluster, CLUSTER_END);
    }
    if (end > at) appendEscaped(masked, text.ptr + at, end - at);
    const failed = lane.failed || hits.failed || clusters.failed || replacements.failed || masked.failed || text.failed;
    if (failed || end < text.len) s.keptCut = true;
    // What could not be masked is not shown.
    if (!failed && !putWithin(out, masked, 0)) s.keptCut = true;
  } else s.keptCut = true;
  destroy(hits);
  destroy(clusters);
  destroy(replacements);
  destroy(masked);
}

function destroy(bytes: Bytes): void {
  if (changetype<usize>(bytes) != 0) bytes.destroy();
}
