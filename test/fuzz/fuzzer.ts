/**
 * Coverage-guided fuzzing of a whole filter: an input that reaches a point of the kernel's or the policy's code that
 * none has reached before, or reaches it much more often, is kept and mutated further.
 */
import { doorImports } from '../../filters/host/door-imports.ts';
import type { KernelExports } from '../../filters/host/kernel-exports.ts';
import { filterOver, type Filter } from '../../filters/host/load-filter.ts';
import { filterWasmOf, run, whole, type Seen } from '../kernel/test-filter.ts';
import { random } from '../protocols/chunking.ts';
import { instrument } from './instrument.ts';
import { mutate, type Random } from './mutate.ts';
import { fault, sameSeen } from './oracle.ts';
import { KEYS, POLICY, type Target, targets } from './targets.ts';

export interface Input {
  readonly target: string;
  readonly body: Uint8Array;
}

export interface Finding extends Input {
  readonly what: string;
}

export interface Progress {
  readonly runs: number;
  readonly corpus: number;
  /** Points of the code that were reached, of so many. */
  readonly reached: number;
  readonly points: number;
  /** Runs whose body was let through. */
  readonly passed: number;
  readonly findings: readonly Finding[];
}

/** A run that takes longer than this, twice, is a hang: most take a tenth of a millisecond. */
const RUN_MS_MAX = 100;
/** One run in so many is done again in pieces. */
const CUT_EVERY = 4;
/** The filter is made anew after so many runs, so that what it keeps for good is seen to stay small. */
const RUNS_PER_FILTER = 200_000;

export class Fuzzer {
  readonly #module: WebAssembly.Module;
  readonly #next: Random;
  /** Highest bucket of hits that was seen at each point. */
  readonly #seen: Uint8Array;
  readonly #corpus: { readonly target: Target; readonly body: Uint8Array }[] = [];
  readonly #findings: Finding[] = [];
  readonly #points: number;
  #filter: Filter;
  #counters: Uint8Array;
  #runs = 0;
  #passed = 0;

  private constructor(module: WebAssembly.Module, points: number, seed: number) {
    this.#module = module;
    this.#points = points;
    this.#next = random(seed);
    this.#seen = new Uint8Array(points);
    [this.#filter, this.#counters] = this.#open();
  }

  static async create(seed: number): Promise<Fuzzer> {
    const { wasm, points } = instrument(await filterWasmOf(POLICY, KEYS));
    const fuzzer = new Fuzzer(new WebAssembly.Module(wasm), points, seed);
    for (const target of targets)
      for (const text of target.seeds) fuzzer.add({ target: target.name, body: Buffer.from(text) });
    return fuzzer;
  }

  /** Runs an input as it is, and keeps it where it reaches something new. */
  add({ target: name, body }: Input): void {
    const target = targets.find((each) => each.name === name);
    if (target !== undefined) this.#try(target, body);
  }

  /** One mutation. */
  step(): void {
    const parent = this.#corpus[Math.floor(this.#next() * this.#corpus.length)];
    if (parent === undefined) throw new Error('the seeds reach nothing');
    const { target } = parent;
    // Mostly the parts of bodies of the same kind, but not only.
    const others = this.#next() < 0.8 ? this.#corpus.filter((each) => each.target === target) : this.#corpus;
    this.#try(
      target,
      mutate(
        parent.body,
        others.map(({ body }) => body),
        this.#next,
      ),
    );
  }

  progress(): Progress {
    return {
      runs: this.#runs,
      corpus: this.#corpus.length,
      reached: this.#seen.reduce((sum, bucket) => sum + (bucket > 0 ? 1 : 0), 0),
      points: this.#points,
      passed: this.#passed,
      findings: this.#findings,
    };
  }

  /** The inputs that together reach every point that was reached: the shortest first, and what adds to them. */
  corpus(): readonly Input[] {
    const reached = new Uint8Array(this.#points);
    const shortestFirst = [...this.#corpus].sort((a, b) => a.body.length - b.body.length);
    const kept = shortestFirst.filter(({ target, body }) => {
      this.#counters.fill(0);
      run(this.#filter, target.exchange(body));
      const isNew = this.#counters.some((hits, point) => hits > 0 && reached[point] === 0);
      this.#counters.forEach((hits, point) => (reached[point] ||= hits));
      return isNew;
    });
    return kept.map(({ target, body }) => ({ target: target.name, body }));
  }

  #try(target: Target, body: Uint8Array): void {
    if (++this.#runs % RUNS_PER_FILTER === 0) [this.#filter, this.#counters] = this.#open();
    this.#counters.fill(0);
    const began = process.cpuUsage();
    let seen: Seen;
    try {
      seen = run(this.#filter, target.exchange(body));
    } catch (error) {
      this.#find(target, body, String(error));
      // After a trap nothing in the instance can be relied on.
      [this.#filter, this.#counters] = this.#open();
      return;
    }
    const isNew = this.#learn();
    if (isNew) this.#corpus.push({ target, body: body.slice() });
    if (millisecondsSince(began) > RUN_MS_MAX && this.#isSlow(target, body)) this.#find(target, body, 'it hangs');
    if (target.side === 'request' ? seen.sent !== null : seen.status === 200) this.#passed += 1;
    const wrong = fault(target, seen);
    if (wrong !== undefined) this.#find(target, body, wrong);
    else if (isNew || this.#runs % CUT_EVERY === 0) this.#cut(target, body, seen);
  }

  #isSlow(target: Target, body: Uint8Array): boolean {
    const began = process.cpuUsage();
    run(this.#filter, target.exchange(body));
    return millisecondsSince(began) > RUN_MS_MAX;
  }

  #cut(target: Target, body: Uint8Array, seen: Seen): void {
    const mean = [1, 3, 20, 200][Math.floor(this.#next() * 4)] ?? 20;
    const next = random(this.#runs);
    const cut = (bytes: Uint8Array): readonly Uint8Array[] => {
      if (bytes.length === 0) return whole(bytes);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length;) {
        const to = at + Math.max(mean === 1 ? 1 : 0, Math.floor(next() * 2 * mean));
        pieces.push(bytes.subarray(at, to));
        at = to;
      }
      return pieces;
    };
    const again = run(this.#filter, { ...target.exchange(body), cut });
    if (!sameSeen(seen, again))
      this.#find(target, body, `in pieces it is another: ${seen.got || seen.sent} / ${again.got || again.sent}`);
  }

  #find(target: Target, body: Uint8Array, what: string): void {
    // One of a kind is enough: the rest is noise.
    const kind = `${target.name} ${what.slice(0, 40)}`;
    if (this.#findings.some((each) => `${each.target} ${each.what.slice(0, 40)}` === kind)) return;
    this.#findings.push({ target: target.name, body: body.slice(), what });
  }

  /** Whether a point was reached in a higher bucket than ever: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more. */
  #learn(): boolean {
    let isNew = false;
    const counters = this.#counters;
    const seen = this.#seen;
    for (let point = 0; point < seen.length; point += 1) {
      const hits = counters[point] ?? 0;
      if (hits === 0) continue;
      const bucket = BUCKETS[hits] ?? 0;
      if (bucket <= (seen[point] ?? 0)) continue;
      seen[point] = bucket;
      isNew = true;
    }
    return isNew;
  }

  #open(): [Filter, Uint8Array] {
    const { exports } = new WebAssembly.Instance(this.#module, doorImports(this.#module));
    const coverage = exports['coverage'];
    if (!(coverage instanceof WebAssembly.Memory)) throw new Error('the module has no coverage');
    return [filterOver(exports as unknown as KernelExports), new Uint8Array(coverage.buffer, 0, this.#points)];
  }
}

const BUCKETS = Uint8Array.from({ length: 256 }, (_, hits) =>
  hits <= 3 ? hits : hits < 8 ? 4 : hits < 16 ? 5 : hits < 32 ? 6 : hits < 128 ? 7 : 8,
);

/** Of the processor: on a busy machine the clock says nothing about a body. */
function millisecondsSince(began: NodeJS.CpuUsage): number {
  return process.cpuUsage(began).user / 1000;
}
