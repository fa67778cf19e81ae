// `npm run bench`: measures what we say about speed and size, beside the peers. See `usage`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { createCleanups } from './cleanups.ts';
import { measureEnvoy } from './envoy/measure-envoy.ts';
import { measureDecide } from './decide/measure-decide.ts';
import { commit, machine } from './machine.ts';
import { withNumbers } from './readme.ts';
import {
  RESULTS_VERSION,
  readResults,
  sectionNames,
  type Results,
  type SectionName,
  type Sections,
} from './results.ts';
import { measureScan } from './scan/measure-scan.ts';
import type { Measured, Run } from './section.ts';
import { measureSizes } from './sizes/measure-sizes.ts';
import { textReport } from './text-report.ts';

const USUAL = { rounds: 5, seconds: 1.5 };
const QUICK = { rounds: 1, seconds: 0.4 };

const usage = `usage: npm run bench [-- [PART…] [options]]

Measures on this machine, in one run: what the doors cost beside a bare Envoy and other ways to ask a policy there (envoy), one decision beside OPA, Cedar and CEL (decide),
the search for personal data beside RegExp, RE2 and Hyperscan (scan), sizes and times (sizes). What it compares with is installed on first use (~/.cache/writ).
A whole run takes about 20 minutes and writes test/bench/results.json; any other run writes build/bench/results.json.

  PART              envoy, decide, scan or sizes: only these
  --quick           one short round: to see that all is there, not for figures
  --rounds N        rounds of each measurement (usually ${USUAL.rounds})
  --seconds N       of each measurement in a round
  --only TARGET,…   of envoy: only these targets, and bare Envoy
  --json            print the results as JSON
  --write-readme    measure nothing: show test/bench/results.json in the README

exit codes: 0 measured, 1 something failed, 2 usage`;

const INTERRUPTED = 130;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const files = {
  results: here('results.json'),
  chart: here('results.svg'),
  readme: here('../../README.md'),
  otherResults: here('../../build/bench/results.json'),
};

type Parts = { readonly [K in SectionName]: (run: Run) => Promise<Measured<K>> };

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (typeof asked === 'number') return asked;
  if (asked.writeReadme) return writeReadme();
  const cleanups = createCleanups();
  const folder = mkdtempSync(join(tmpdir(), 'writ-bench-'));
  cleanups.add(() => rmSync(folder, { recursive: true, force: true }));
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) return;
    isInterrupted = true;
    process.stderr.write('bench: stopping …\n');
    void cleanups.run().finally(() => process.exit(INTERRUPTED));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const run: Run = { ...asked, folder, cleanups, report: (line) => process.stderr.write(`bench: ${line}\n`) };
    const { results, problems } = await measure(run, asked.parts, asked.only);
    write(results, asked.isWhole && problems.length === 0 ? files.results : files.otherResults);
    process.stdout.write(asked.json ? `${JSON.stringify(results, null, 2)}\n` : textReport(results));
    for (const problem of problems) process.stderr.write(`bench: FAILED: ${problem}\n`);
    return problems.length > 0 ? 1 : 0;
  } catch (error) {
    // What is under way when the run is stopped fails, and that is no news.
    if (isInterrupted) return INTERRUPTED;
    process.stderr.write(`bench: FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    if (!isInterrupted) await cleanups.run();
  }
}

async function measure(
  run: Run,
  parts: readonly SectionName[],
  only: readonly string[],
): Promise<{ readonly results: Results; readonly problems: readonly string[] }> {
  const measures: Parts = {
    envoy: (each) => measureEnvoy(each, only),
    decide: measureDecide,
    scan: measureScan,
    sizes: measureSizes,
  };
  const sections: { -readonly [K in SectionName]?: Sections[K] } = {};
  const measured: Measured<SectionName>[] = [];
  const take = async <K extends SectionName>(name: K): Promise<void> => {
    const began = performance.now();
    const result = await measures[name](run);
    run.report(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
    sections[name] = result.rows;
    measured.push(result);
  };
  for (const name of parts) await take(name);
  const versions = Object.assign({}, ...measured.map((each) => each.versions)) as { [name: string]: string };
  return {
    results: {
      version: RESULTS_VERSION,
      date: new Date().toISOString(),
      commit: commit(),
      command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
      isQuick: run.isQuick,
      rounds: run.rounds,
      machine: machine(versions),
      sections,
      missing: measured.flatMap(({ missing }) => missing),
    },
    problems: measured.flatMap(({ problems }) => problems),
  };
}

function write(results: Results, file: string): void {
  const text = `${JSON.stringify(results, null, 1)}\n`;
  // Whoever reads it must not be the first to see that it is wrong.
  readResults(text);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stderr.write(`bench: ${file}\n`);
}

function writeReadme(): number {
  const results = readResults(readFileSync(files.results, 'utf8'));
  writeFileSync(files.chart, chart(results));
  writeFileSync(files.readme, withNumbers(readFileSync(files.readme, 'utf8'), results));
  return 0;
}

interface Asked {
  readonly parts: readonly SectionName[];
  readonly isWhole: boolean;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly only: readonly string[];
  readonly json: boolean;
  readonly writeReadme: boolean;
}

/** An exit code where nothing is to be measured. */
function readArguments(): Asked | number {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        'write-readme': { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    const named = positionals.map((name) => sectionNames.find((each) => each === name) ?? unknownPart(name));
    const lengths = values.quick ? QUICK : USUAL;
    return {
      parts: named.length === 0 ? sectionNames : sectionNames.filter((name) => named.includes(name)),
      isWhole: process.argv.slice(2).every((argument) => argument === '--json'),
      isQuick: values.quick,
      rounds: positive('--rounds', values.rounds ?? String(lengths.rounds), Number.isSafeInteger),
      seconds: positive('--seconds', values.seconds ?? String(lengths.seconds), Number.isFinite),
      only: values.only?.split(',') ?? [],
      json: values.json,
      writeReadme: values['write-readme'],
    };
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    return 2;
  }
}

function unknownPart(name: string): never {
  throw new Error(`there is no part \`${name}\``);
}

function positive(option: string, text: string, is: (value: number) => boolean): number {
  const value = Number(text);
  if (!is(value) || value <= 0) throw new Error(`${option} takes a number above 0`);
  return value;
}
