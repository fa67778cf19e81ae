/**
 * Throughput and latencies through Envoy: every target has an Envoy of its own, with one worker, and all of them the
 * same upstream and the same load. Load generator, upstream and what is measured share the machine's processors. Rounds
 * take the targets in turn.
 */
import { goProgram } from '../go-programs.ts';
import { envoyVersions } from '../part-versions.ts';
import type { EnvoyRow } from '../results.ts';
import type { Measured, Run } from '../section.ts';
import { inTurn, ratios, spread } from '../statistics.ts';
import { type LoadCase, loadCases, runLoad, type LoadResult } from './load-case.ts';
import { startTargets } from './start-targets.ts';
import type { TargetKind } from './target.ts';
import { BARE } from './targets.ts';

const WARM_UP_SECONDS = 0.5;

export async function measureEnvoy(run: Run, only: readonly string[] = []): Promise<Measured<'envoy'>> {
  const { started, missing } = await startTargets(run, only);
  const generator = await goProgram('load');
  const rows: EnvoyRow[] = [];
  const problems: string[] = [];
  for (const each of loadCases) {
    const taking = started.filter(({ kind }) => kind.takes?.(each) ?? true);
    run.report(`${each.name}: ${taking.length} targets, ${run.rounds} rounds`);
    const results = new Map<TargetKind, LoadResult[]>(taking.map(({ kind }) => [kind, []]));
    for (const { kind, target } of taking) {
      const warm = await runLoad(generator, each, target, WARM_UP_SECONDS);
      if (warm.failed > 0) throw new Error(`${kind.name}, ${each.name}: ${warm.failures.join('; ')}`);
    }
    for (let round = 0; round < run.rounds; round++) {
      for (const { kind, target } of inTurn(taking, round)) {
        const result = await runLoad(generator, each, target, run.seconds);
        results.get(kind)?.push(result);
        if (result.failed > 0)
          problems.push(`${kind.name}, ${each.name}: ${result.failed} requests failed: ${result.failures.join('; ')}`);
      }
    }
    rows.push(...rowsOf(each, results));
  }
  return { rows, missing, versions: await envoyVersions(), problems };
}

export function rowsOf(each: LoadCase, results: ReadonlyMap<TargetKind, readonly LoadResult[]>): EnvoyRow[] {
  const bare = [...results].find(([kind]) => kind.id === BARE.id)?.[1].map(({ perSecond }) => perSecond) ?? [];
  return [...results].map(([kind, runs]) => ({
    target: kind.id,
    name: kind.name,
    bodyBytes: each.bodyBytes,
    streamed: each.streamed,
    concurrency: each.concurrency,
    perSecond: spread(runs.map((run) => run.perSecond)),
    share: ratios(
      runs.map((run) => run.perSecond),
      bare,
    ),
    p50: spread(runs.map((run) => run.p50)),
    p99: spread(runs.map((run) => run.p99)),
    first: spread(runs.map((run) => run.first)),
    requests: runs.reduce((sum, run) => sum + run.count, 0),
    failed: runs.reduce((sum, run) => sum + run.failed, 0),
  }));
}
