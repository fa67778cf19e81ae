// Starts targets, each behind an upstream of its part of the run.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../child.ts';
import { goProgram } from '../go-programs.ts';
import type { Missing } from '../results.ts';
import type { Run } from '../section.ts';
import type { Target, TargetKind } from './target.ts';
import { BARE, targetKinds } from './targets.ts';

export interface StartedTarget {
  readonly kind: TargetKind;
  readonly target: Target;
}

/**
 * `only` are ids; bare Envoy is always there, and none means all. A peer that cannot be had is named; one of ours that
 * does not start ends the run.
 */
export async function startTargets(
  { folder, cleanups, report }: Run,
  only: readonly string[],
): Promise<{ readonly started: readonly StartedTarget[]; readonly missing: readonly Missing[] }> {
  // Go's scheduler on every processor would take what Envoy needs.
  const upstream = await startProgram(await goProgram('upstream'), [], { GOMAXPROCS: '1' });
  cleanups.add(upstream.stop);
  const own = mkdtempSync(join(folder, 'targets-'));
  const started: StartedTarget[] = [];
  const missing: Missing[] = [];
  for (const kind of targetKinds) {
    if (only.length > 0 && kind.id !== BARE.id && !only.includes(kind.id)) continue;
    report(`starting: ${kind.name}`);
    const place = { folder: join(own, kind.id), upstreamPort: Number(upstream.line), cleanups };
    mkdirSync(place.folder);
    try {
      const target = await kind.start(place);
      started.push({ kind: { ...kind, name: target.name ?? kind.name }, target });
    } catch (error) {
      if (!kind.isPeer) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      report(`not measured: ${kind.name}: ${reason}`);
      missing.push({ section: 'envoy', name: kind.name, reason });
    }
  }
  return { started, missing };
}
