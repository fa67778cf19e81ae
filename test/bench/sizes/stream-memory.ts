/**
 * What an open stream costs in memory: many streams are held at once, and the processes between client and upstream are
 * looked at before and meanwhile. Resident memory, as Linux counts it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { chatRequest, generate } from '../envoy/load-case.ts';
import type { Target } from '../envoy/target.ts';

const STREAMS = 500;
const BODY_BYTES = 1_800;
/** All streams are open after the first, and none has ended before the second. */
const LOOK_AFTER_MS = 3_000;
const HOLD_MS = 6_000;
const WARM_UP_SECONDS = 1;
const WARM_UP_CONCURRENCY = 16;

/** Kilobytes a stream, by process. Throws where a stream fails. */
export async function streamMemory(generator: string, target: Target): Promise<ReadonlyMap<string, number>> {
  const names = Object.keys(target.processes);
  const rss = (): readonly number[] => names.map((name) => residentKilobytes(target.processes[name] ?? 0));
  await run(generator, target, chatRequest(BODY_BYTES, true), WARM_UP_CONCURRENCY, { seconds: WARM_UP_SECONDS });
  const before = rss();
  const held = run(generator, target, chatRequest(BODY_BYTES, true, `[hold ${HOLD_MS}]`), STREAMS, {
    seconds: HOLD_MS / 1000,
    requestsMax: 1,
  });
  await sleep(LOOK_AFTER_MS);
  const meanwhile = rss();
  const { count } = await held;
  if (count !== STREAMS) throw new Error(`${count} of ${STREAMS} streams were held`);
  return new Map(names.map((name, at) => [name, Math.max(0, (meanwhile[at] ?? 0) - (before[at] ?? 0)) / STREAMS]));
}

async function run(...args: Parameters<typeof generate>): ReturnType<typeof generate> {
  const result = await generate(...args);
  if (result.failed > 0) throw new Error(`${result.failed} streams failed: ${result.failures.join('; ')}`);
  return result;
}

function residentKilobytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? NaN);
}
