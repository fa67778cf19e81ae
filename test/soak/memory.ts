// What a process holds, and whether that stays the same.
import { readFileSync } from 'node:fs';

/** Bytes of a process that are in memory (VmRSS). Throws where the process is gone. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} does not tell what it holds`);
  return Number(kilobytes) * 1024;
}

export interface Flatness {
  /**
   * Bytes, the least of the second third of the samples and of the last: allocators and collectors breathe, and what is
   * kept for good raises the floor. The first third is warm-up.
   */
  readonly before: number;
  readonly after: number;
  readonly isFlat: boolean;
}

/**
 * How far a floor may rise from one third to the next. What is alive in the sidecar after a collection keeps within a
 * megabyte; a leak of 100 bytes a request at 300 requests a second adds nine in five minutes. What Envoy has of the
 * machine's memory is counted in whole slabs of its allocator.
 */
export const LIVE_RISE_MAX = 4 << 20;
export const RESIDENT_RISE_MAX = 8 << 20;

/** Of at least three samples in the order of time. */
export function flatness(samples: readonly number[], riseMax: number): Flatness {
  if (samples.length < 3) throw new Error('three samples at least tell whether something grows');
  const third = Math.floor(samples.length / 3);
  const before = Math.min(...samples.slice(third, -third));
  const after = Math.min(...samples.slice(-third));
  return { before, after, isFlat: after - before <= riseMax };
}
