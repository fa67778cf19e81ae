// Sizes of what is built, times of the compiler, memory of open streams.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BUNDLE_PATHS } from '../../../compiler/bundle/bundle-paths.ts';
import { buildPeerWasm } from '../decide/opa.ts';
import { startTargets } from '../envoy/start-targets.ts';
import { EXAMPLE, examplePolicy } from '../example-policy.ts';
import { goProgram } from '../go-programs.ts';
import type { SizeRow } from '../results.ts';
import type { Measured, Run } from '../section.ts';
import { spread } from '../statistics.ts';
import type { BuildTimes } from './build-child.ts';
import { manyRules } from './many-rules.ts';
import { streamMemory } from './stream-memory.ts';

const RULES = [10, 100, 1_000];
const BUILD_MS_MAX = 120_000;
const BUILD_CHILD = fileURLToPath(new URL('build-child.ts', import.meta.url));
/** Of the targets of the part `envoy`. */
const STREAM_TARGETS = ['bare', 'ext-proc-door', 'in-envoy-door'];

export async function measureSizes(run: Run): Promise<Measured<'sizes'>> {
  const rows = [...(await wasmSizes()), ...(await buildTimes(run)), ...(await streamSizes(run))];
  return { rows, missing: [], versions: {}, problems: [] };
}

async function wasmSizes(): Promise<SizeRow[]> {
  const { files } = await examplePolicy();
  const size = (id: string, name: string, bytes: number): SizeRow => ({
    id,
    name,
    unit: 'KB',
    value: spread([bytes / 1_000]),
  });
  return [
    size('filter-wasm', '`filter.wasm` of the example policy', files.get(BUNDLE_PATHS.filterWasm)?.length ?? NaN),
    size('policy-wasm', '`policy.wasm` of the example policy', files.get(BUNDLE_PATHS.policyWasm)?.length ?? NaN),
    size('opa-policy-wasm', 'OPA’s `policy.wasm` of its prompt event alone', (await buildPeerWasm()).length),
  ];
}

async function buildTimes({ folder, rounds, seconds, report }: Run): Promise<SizeRow[]> {
  const policies = RULES.map((count) => {
    const path = join(folder, `rules-${count}`);
    mkdirSync(path);
    cpSync(EXAMPLE, path, { recursive: true });
    writeFileSync(join(path, 'generated.writ'), manyRules(count));
    return { count, path, times: [] as BuildTimes[] };
  });
  report(`sizes: policies of ${RULES.join(', ')} more rules, ${rounds} rounds`);
  for (let round = 0; round < rounds; round++) {
    for (const { path, times } of policies) {
      const args = [BUILD_CHILD, path, String(seconds)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: BUILD_MS_MAX });
      const measured: BuildTimes = JSON.parse(stdout);
      times.push(measured);
    }
  }
  return policies.flatMap(({ count, times }): SizeRow[] => [
    {
      id: `build-${count}`,
      name: `the example policy and ${count.toLocaleString('en-US')} more rules, from files to signed bundle`,
      unit: 'ms',
      value: spread(times.map(({ buildMs }) => buildMs)),
    },
    {
      id: `check-${count}`,
      name: `the same, diagnostics after a keystroke`,
      unit: 'ms',
      value: spread(times.map(({ checkMs }) => checkMs)),
    },
  ]);
}

async function streamSizes(run: Run): Promise<SizeRow[]> {
  const generator = await goProgram('load');
  const { started } = await startTargets(run, STREAM_TARGETS);
  const rows: SizeRow[] = [];
  for (const { kind, target } of started) {
    run.report(`sizes: open streams: ${kind.name}`);
    for (const [process, kilobytes] of await streamMemory(generator, target))
      rows.push({
        id: `stream-${kind.id}-${process}`,
        name: `memory of an open stream: ${kind.name}, in its ${process}`,
        unit: 'KB',
        value: spread([kilobytes]),
      });
  }
  return rows;
}
