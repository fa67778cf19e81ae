/**
 * The kernel with the text engine alone: `writ scan`, tests and benchmarks run it. Its policy functions but for the
 * tables are never called.
 */
import { Bytes } from './bytes';
import { alloc, free } from './memory';
import { Lane } from './text/lane';
import { scanText } from './text/scan';
import { steps } from './text/window';

export { alloc, free };

export function bytesCreate(): Bytes {
  return Bytes.create();
}

export function bytesClear(bytes: Bytes): void {
  bytes.clear();
}

export function bytesPtr(bytes: Bytes): usize {
  return bytes.ptr;
}

export function bytesLen(bytes: Bytes): u32 {
  return bytes.len;
}

export function scanWhole(ptr: usize, len: u32, hits: Bytes): bool {
  return scanText(ptr, len, hits);
}

export function stepCount(): u64 {
  return steps;
}

export function laneCreate(): Lane {
  return Lane.create();
}

export function laneDestroy(lane: Lane): void {
  lane.destroy();
}

export function laneClear(lane: Lane): void {
  lane.clear();
}

export function laneMask(lane: Lane, low: u64, high: u64): void {
  lane.maskLow = low;
  lane.maskHigh = high;
}

export function laneAppend(lane: Lane, ptr: usize, len: u32): void {
  lane.append(ptr, len);
}

export function laneScan(lane: Lane, final: bool): void {
  lane.scan(final);
}

export function laneDiscard(lane: Lane, before: u32): void {
  lane.discard(before);
}

export function laneFailed(lane: Lane): bool {
  return lane.failed;
}

export function laneBase(lane: Lane): u32 {
  return lane.base;
}

export function laneText(lane: Lane): usize {
  return lane.text();
}

export function laneLength(lane: Lane): u32 {
  return lane.length;
}

export function laneHold(lane: Lane): u32 {
  return lane.hold;
}

export function laneHitCount(lane: Lane): u32 {
  return lane.hitCount;
}

export function laneHit(lane: Lane, i: u32): usize {
  return lane.hit(i);
}
