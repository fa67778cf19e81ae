/**
 * One decision, with facts in memory: ours beside other policy engines, on the prompt event of the example policy. All
 * contenders must first give the same verdicts on every prompt of `agreement`; one that does not fails the run.
 */
import { startAskedScript, type AskedChild } from '../ask-child.ts';
import { npmPeerVersions } from '../npm-peers.ts';
import { opaVersions } from '../part-versions.ts';
import type { DecideRow, Missing } from '../results.ts';
import type { Measured, Run } from '../section.ts';
import { inTurn, ratios, spread } from '../statistics.ts';
import type { Contender, Verdict } from './contender.ts';
import { contenders } from './contenders.ts';
import { agreement, questions } from './questions.ts';

interface Started {
  readonly contender: Contender;
  readonly child: AskedChild;
}

export async function measureDecide(run: Run): Promise<Measured<'decide'>> {
  const { started, missing } = await start(run);
  const rows: DecideRow[] = [];
  const problems = await disagreements(started);
  for (const { name: question, facts } of questions) {
    run.report(`decide: ${question}: ${started.length} ways, ${run.rounds} rounds`);
    const times = new Map<Contender, number[]>(started.map(({ contender }) => [contender, []]));
    for (let round = 0; round < run.rounds; round++) {
      for (const { contender, child } of inTurn(started, round))
        times.get(contender)?.push(Number(await child.ask({ facts, seconds: run.seconds })));
    }
    const [ours] = times.values();
    for (const [{ id, name }, microseconds] of times)
      rows.push({
        contender: id,
        name,
        question,
        microseconds: spread(microseconds),
        times: ratios(microseconds, ours ?? []),
      });
  }
  const isWithOpa = started.some(({ contender }) => contender.id.startsWith('opa'));
  const versions = { ...npmPeerVersions(), ...(isWithOpa ? await opaVersions() : {}) };
  return { rows, missing, versions, problems };
}

async function start({
  cleanups,
  report,
}: Run): Promise<{ readonly started: readonly Started[]; readonly missing: readonly Missing[] }> {
  const started: Started[] = [];
  const missing: Missing[] = [];
  for (const contender of contenders) {
    report(`starting: ${contender.name}`);
    try {
      const child = await startAskedScript(new URL('decider-child.ts', import.meta.url), [contender.id]);
      cleanups.add(child.stop);
      started.push({ contender, child });
    } catch (error) {
      if (!contender.isPeer) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      report(`not measured: ${contender.name}: ${reason}`);
      missing.push({ section: 'decide', name: contender.name, reason });
    }
  }
  return { started, missing };
}

/** The first contender is ours. */
async function disagreements([ours, ...others]: readonly Started[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const facts of agreement) {
    const expected = JSON.stringify((await ours?.child.ask({ facts })) as Verdict);
    for (const { contender, child } of others) {
      const verdict = JSON.stringify(await child.ask({ facts }));
      if (verdict !== expected)
        problems.push(`${contender.name} says ${verdict}, ours ${expected}, on ${JSON.stringify(facts)}`);
    }
  }
  return problems;
}
