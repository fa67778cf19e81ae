// The document of a run, `results.json`: what was measured, on what, and what could not be had. `readResults` is for
// documents from disk.
import type { Spread } from './statistics.ts';

export const RESULTS_VERSION = 1;

export interface Results {
  readonly version: typeof RESULTS_VERSION;
  /** When, in UTC. */
  readonly date: string;
  /** Of this repository; ends in `+` where files were changed since. */
  readonly commit: string;
  readonly command: string;
  /** A short run: to see that all is there, not for figures. */
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly machine: Machine;
  readonly sections: Sections;
  /** What was to be measured and could not be had here. */
  readonly missing: readonly Missing[];
}

export interface Sections {
  readonly envoy?: readonly EnvoyRow[];
  readonly decide?: readonly DecideRow[];
  readonly scan?: readonly ScanRow[];
  readonly sizes?: readonly SizeRow[];
}

export type SectionName = keyof Sections;

export interface Machine {
  readonly processors: string;
  readonly memoryGigabytes: number;
  readonly system: string;
  /** Of what was measured and of what measured it. */
  readonly versions: { readonly [name: string]: string };
}

export interface Missing {
  readonly section: SectionName;
  readonly name: string;
  readonly reason: string;
}

/** One target under one load. */
export interface EnvoyRow {
  readonly target: string;
  readonly name: string;
  readonly bodyBytes: number;
  readonly streamed: boolean;
  readonly concurrency: number;
  readonly perSecond: Spread;
  /** Of bare Envoy's throughput in the same rounds. */
  readonly share: Spread;
  /** Milliseconds to the reply's end. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Milliseconds to the reply's first body bytes. */
  readonly first: Spread;
  readonly requests: number;
  readonly failed: number;
}

/** One way to one decision. */
export interface DecideRow {
  readonly contender: string;
  readonly name: string;
  readonly question: string;
  readonly microseconds: Spread;
  /** How many times the time of ours, in the same rounds. */
  readonly times: Spread;
}

/** One way to search one text. */
export interface ScanRow {
  readonly contender: string;
  readonly name: string;
  readonly text: string;
  readonly megabytesPerSecond: Spread;
  /** Of ours, in the same rounds. */
  readonly share: Spread;
  /** Found in one pass. */
  readonly hits: number;
}

export interface SizeRow {
  readonly id: string;
  readonly name: string;
  readonly unit: 'KB' | 'ms';
  readonly value: Spread;
}

export class ResultsError extends Error {}

type Check = (value: unknown, path: string) => void;

/** Throws ResultsError with the place of the first thing that is not as a run writes it. */
export function readResults(text: string): Results {
  const document: unknown = JSON.parse(text);
  isResults(document, 'results');
  return document as Results;
}

function fails(path: string, wanted: string): never {
  throw new ResultsError(`${path}: ${wanted} is expected`);
}

const isText: Check = (value, path) => void (typeof value === 'string' || fails(path, 'a text'));
const isFlag: Check = (value, path) => void (typeof value === 'boolean' || fails(path, 'true or false'));
const isCount: Check = (value, path) =>
  void ((Number.isSafeInteger(value) && Number(value) >= 0) || fails(path, 'a count'));
/** NaN and the infinities become null in JSON: they are seen here. */
const isNumber: Check = (value, path) =>
  void ((typeof value === 'number' && value >= 0) || fails(path, 'a number that is not negative'));

const isOneOf =
  (...values: readonly unknown[]): Check =>
  (value, path) =>
    void (values.includes(value) || fails(path, `one of ${values.join(', ')}`));

const isListOf =
  (item: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) fails(path, 'a list');
    value.forEach((each, at) => item(each, `${path}[${at}]`));
  };

/** Every key of these, and no other; `optional` ones may be absent. */
function isObject<T>(keys: { readonly [K in keyof Required<T>]: Check }, optional: readonly (keyof T)[] = []): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fails(path, 'an object');
    const members = new Map(Object.entries(value));
    for (const [key, check] of Object.entries<Check>(keys)) {
      if (members.has(key)) check(members.get(key), `${path}.${key}`);
      else if (!optional.some((each) => each === key)) fails(`${path}.${key}`, 'a value');
      members.delete(key);
    }
    for (const key of members.keys()) fails(`${path}.${key}`, 'nothing');
  };
}

const isSpread: Check = (value, path) => {
  isObject<Spread>({ median: isNumber, low: isNumber, high: isNumber })(value, path);
  const { low, median, high } = value as Spread;
  if (low > median || median > high) fails(path, 'a median between low and high');
};

const isVersions: Check = (value, path) => {
  if (typeof value !== 'object' || value === null) fails(path, 'an object');
  for (const [name, version] of Object.entries(value)) isText(version, `${path}.${name}`);
};

const sections: { readonly [K in SectionName]: Check } = {
  envoy: isListOf(
    isObject<EnvoyRow>({
      target: isText,
      name: isText,
      bodyBytes: isCount,
      streamed: isFlag,
      concurrency: isCount,
      perSecond: isSpread,
      share: isSpread,
      p50: isSpread,
      p99: isSpread,
      first: isSpread,
      requests: isCount,
      failed: isCount,
    }),
  ),
  decide: isListOf(
    isObject<DecideRow>({
      contender: isText,
      name: isText,
      question: isText,
      microseconds: isSpread,
      times: isSpread,
    }),
  ),
  scan: isListOf(
    isObject<ScanRow>({
      contender: isText,
      name: isText,
      text: isText,
      megabytesPerSecond: isSpread,
      share: isSpread,
      hits: isCount,
    }),
  ),
  sizes: isListOf(isObject<SizeRow>({ id: isText, name: isText, unit: isOneOf('KB', 'ms'), value: isSpread })),
};

export const sectionNames = Object.keys(sections) as readonly SectionName[];

const isResults = isObject<Results>({
  version: isOneOf(RESULTS_VERSION),
  date: isText,
  commit: isText,
  command: isText,
  isQuick: isFlag,
  rounds: isCount,
  machine: isObject<Machine>({ processors: isText, memoryGigabytes: isNumber, system: isText, versions: isVersions }),
  sections: isObject<Sections>(sections, sectionNames),
  missing: isListOf(isObject<Missing>({ section: isOneOf(...sectionNames), name: isText, reason: isText })),
});
