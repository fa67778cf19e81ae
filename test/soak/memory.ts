// What a process holds, and whether that stays the same.
import { readFileSync } from 'node:fs';

/** Bytes of a process that are in memory (VmRSS). Throws where the process is gone. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} does not tell what it holds`);
  return Number(kilobytes) * 1024;
}

export interface Flatness {
  /** Bytes, the mean of the second third of the samples and of the last. The first is warm-up. */
  readonly before: number;
  readonly after: number;
  readonly isFlat: boolean;
}

/** Allocators and garbage collectors breathe; a leak of one byte a request does not end at this. */
const GROWTH_SHARE_MAX = 0.05;
const GROWTH_BYTES_MAX = 8 << 20;

/** Of at least three samples in the order of time. */
export function flatness(samples: readonly number[]): Flatness {
  if (samples.length < 3) throw new Error('three samples at least tell whether something grows');
  const third = Math.floor(samples.length / 3);
  const mean = (some: readonly number[]): number => some.reduce((sum, each) => sum + each, 0) / some.length;
  const before = mean(samples.slice(third, -third));
  const after = mean(samples.slice(-third));
  return { before, after, isFlat: after - before <= Math.max(before * GROWTH_SHARE_MAX, GROWTH_BYTES_MAX) };
}
