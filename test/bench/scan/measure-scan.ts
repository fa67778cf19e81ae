/**
 * How fast text is searched for all that the built-in detectors find, in one process and one thread: ours beside the
 * same patterns in other engines.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from '../../../examples/parts/python-environment.ts';
import { startAskedChild, startAskedScript, type AskedChild } from '../ask-child.ts';
import type { Missing, ScanRow } from '../results.ts';
import type { Measured, Run } from '../section.ts';
import { inTurn, ratios, spread } from '../statistics.ts';
import { type ScanAnswer, type ScanContender, scanContenders } from './contender.ts';
import { wordPatterns } from './patterns.ts';
import { scanTexts } from './texts.ts';

interface Started {
  readonly contender: ScanContender;
  readonly child: AskedChild;
}

const SCANNER = fileURLToPath(new URL('scanner.py', import.meta.url));
/** As pinned in examples/parts/requirements/bench-scan.txt. */
const VERSIONS = { RE2: 'google-re2 1.1.20251105', Hyperscan: 'hyperscan 0.9.1' };

export async function measureScan(run: Run): Promise<Measured<'scan'>> {
  const { started, missing } = await start(run);
  const rows: ScanRow[] = [];
  const problems: string[] = [];
  for (const { name: text, text: content } of scanTexts) {
    run.report(`scan: ${text}: ${started.length} ways, ${run.rounds} rounds`);
    const file = join(run.folder, 'scanned.txt');
    writeFileSync(file, content);
    const answers = new Map<ScanContender, ScanAnswer[]>(started.map(({ contender }) => [contender, []]));
    for (let round = 0; round < run.rounds; round++) {
      for (const { contender, child } of inTurn(started, round))
        answers.get(contender)?.push((await child.ask({ file, seconds: run.seconds })) as ScanAnswer);
    }
    const [ours = []] = answers.values();
    for (const [{ id, name }, theirs] of answers) {
      const hits = theirs[0]?.hits ?? 0;
      if (theirs.some((each) => each.hits !== hits))
        problems.push(`${name} found not the same in each pass of ${text}`);
      const speeds = theirs.map((each) => each.megabytesPerSecond);
      rows.push({
        contender: id,
        name,
        text,
        megabytesPerSecond: spread(speeds),
        share: ratios(
          speeds,
          ours.map((each) => each.megabytesPerSecond),
        ),
        hits,
      });
    }
  }
  return { rows, missing, versions: VERSIONS, problems };
}

async function start({
  folder,
  cleanups,
  report,
}: Run): Promise<{ readonly started: readonly Started[]; readonly missing: readonly Missing[] }> {
  const patterns = join(folder, 'patterns.json');
  writeFileSync(patterns, JSON.stringify(wordPatterns));
  const started: Started[] = [];
  const missing: Missing[] = [];
  for (const contender of scanContenders) {
    report(`starting: ${contender.name}`);
    try {
      const child = await startContender(contender, patterns);
      cleanups.add(child.stop);
      started.push({ contender, child });
    } catch (error) {
      if (!contender.isPeer) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      report(`not measured: ${contender.name}: ${reason}`);
      missing.push({ section: 'scan', name: contender.name, reason });
    }
  }
  return { started, missing };
}

async function startContender({ id, runs }: ScanContender, patterns: string): Promise<AskedChild> {
  if (runs === 'node') return startAskedScript(new URL('scanner-child.ts', import.meta.url), [id]);
  const { python } = await pythonEnvironment({ part: 'bench-scan', label: 'RE2 and Hyperscan' });
  return startAskedChild(python, [SCANNER, id, patterns]);
}
