// `npm run bench`: what the ext_proc door costs beside a bare Envoy, in one run on one machine. Prints a table and
// writes results.json beside this file. Every target has the same Envoy build with one worker, the same upstream and
// the same load; the figures are medians of interleaved rounds. The load generator, the upstream and the sidecar share
// the machine's processors with Envoy.
//
//   npm run bench -- [--rounds N] [--seconds N] [--quick]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadInChild } from '../e2e/load-in-child.ts';
import type { LoadResult } from './load.ts';
import type { Target } from './targets.ts';
import { startTargets } from './targets.ts';

interface Case {
  readonly name: string;
  readonly body: string;
  readonly concurrency: number;
}

export interface Row {
  readonly case: string;
  readonly target: string;
  readonly perSecond: number;
  /** Of bare Envoy's throughput in the same case. */
  readonly share: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** Of one round's measured part. */
const USUAL_SECONDS = 3;
const USUAL_ROUNDS = 5;

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const rounds = values.quick ? 1 : Number(values.rounds ?? USUAL_ROUNDS);
const seconds = values.quick ? 1 : Number(values.seconds ?? USUAL_SECONDS);
process.exitCode = await main();

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  const { targets, stop } = await startTargets(folder);
  try {
    const rows: Row[] = [];
    for (const each of cases()) {
      process.stderr.write(`${each.name} …\n`);
      rows.push(...(await measure(each, targets)));
    }
    const machine = {
      processors: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
      node: process.version,
      rounds,
      seconds,
    };
    writeFileSync(
      fileURLToPath(new URL('results.json', import.meta.url)),
      `${JSON.stringify({ machine, door: rows }, null, 2)}\n`,
    );
    process.stdout.write(table(rows));
    const failed = rows.reduce((sum, row) => sum + row.failed, 0);
    if (failed > 0) process.stderr.write(`${failed} requests failed\n`);
    return failed > 0 ? 1 : 0;
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function cases(): Case[] {
  const sentence =
    'The quarterly report is due on Friday, and the numbers from the northern region are still missing. ';
  const body = (bytes: number, more: object = {}): string =>
    JSON.stringify({
      model: 'frontier-1',
      ...more,
      messages: [{ role: 'user', content: sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes - 90) }],
    });
  return [
    { name: '1.8 KB, 16 at once', body: body(1_800), concurrency: 16 },
    { name: '1.8 KB, one at a time', body: body(1_800), concurrency: 1 },
    { name: '1.8 KB streamed, 16 at once', body: body(1_800, { stream: true }), concurrency: 16 },
    { name: '14 KB, 16 at once', body: body(14_000), concurrency: 16 },
  ];
}

/** Rounds go over the targets in turn, so that what else the machine does falls on all alike. */
async function measure(each: Case, targets: readonly Target[]): Promise<Row[]> {
  const results = new Map<Target, LoadResult[]>(targets.map((target) => [target, []]));
  const counts = new Map<Target, number>();
  for (const target of targets) counts.set(target, await calibrate(each, target));
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) results.get(target)?.push(await run(each, target, counts.get(target) ?? 100));
  }
  const medians = targets.map((target) => {
    const runs = results.get(target) ?? [];
    return {
      target,
      perSecond: median(runs.map((run) => run.perSecond)),
      p50: median(runs.map((run) => run.p50)),
      p99: median(runs.map((run) => run.p99)),
      failed: runs.reduce((sum, run) => sum + run.failed, 0),
    };
  });
  const bare = medians[0]?.perSecond ?? NaN;
  return medians.map(({ target, perSecond, p50, p99, failed }) => ({
    case: each.name,
    target: target.name,
    perSecond,
    share: perSecond / bare,
    p50,
    p99,
    failed,
  }));
}

/** How many requests fill the time; warms the target up too. */
async function calibrate(each: Case, target: Target): Promise<number> {
  const { perSecond, failed, failures } = await run(each, target, 300);
  if (failed > 0) throw new Error(`${target.name} fails: ${failures.join('; ')}`);
  return Math.max(100, Math.round(perSecond * seconds));
}

function run({ body, concurrency }: Case, { port, headers }: Target, count: number): Promise<LoadResult> {
  return loadInChild({ port, path: '/v1/chat/completions', body, headers, concurrency, count, contains: 'weather' });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ case: name, target, perSecond, share, p50, p99 }) => [
    name,
    target,
    perSecond.toFixed(0),
    share.toFixed(2),
    p50.toFixed(2),
    p99.toFixed(2),
  ]);
  const lines = [['case', 'target', 'requests/s', 'of bare', 'p50 ms', 'p99 ms'], ...cells];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}\n`,
    )
    .join('');
}
