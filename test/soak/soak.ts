// One soak: traffic through a door for so long, then what it left behind.
import type { Door } from '../../proto/door.ts';
import http from 'node:http';
import { createCleanups } from '../bench/cleanups.ts';
import { startDataPlane, type DataPlane } from './data-plane.ts';
import { flatness, LIVE_RISE_MAX, RESIDENT_RISE_MAX, residentBytes, type Flatness } from './memory.ts';
import { startSoakUpstream } from './soak-upstream.ts';
import { exchange, startTraffic, type Kind } from './traffic.ts';

export interface SoakOptions {
  readonly door: Door;
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
  readonly report: (line: string) => void;
  /** A fault that it must see: bytes that the sidecar keeps with every second. */
  readonly keepsPerSecond?: number;
  /** Ends it early; what is running is stopped. */
  readonly signal?: AbortSignal;
}

export interface SoakResult {
  readonly door: Door;
  readonly seconds: number;
  readonly counts: Readonly<Record<Kind, number>>;
  readonly failed: number;
  readonly failures: readonly string[];
  /** Bodies that reached the upstream with the card number in them. */
  readonly leaks: number;
  /** Micro-units: what the upstream's usage cost, what was set aside for each stream that was given up, and the ledger's sum. */
  readonly spent: number;
  readonly setAside: number;
  readonly hung: number;
  readonly charged: number;
  /** Of Envoy what it has of the machine's memory, of the sidecar what a collection leaves. */
  readonly memory: { readonly envoy: Flatness; readonly sidecar: Flatness };
  /** What the sidecar had of the machine's memory: its heap breathes, so that this is told, and not judged. */
  readonly sidecarResident: { readonly least: number; readonly most: number };
}

const SAMPLE_MS = 1_000;
const TELL_EVERY_SAMPLES = 15;
/** A collection stops the sidecar for some 20 ms: so many in a soak, however long it is. */
const COLLECTIONS = 60;
const READY_MS_MAX = 30_000;
const CHARGED_MS_MAX = 120_000;

/** What is wrong with it, in words; none is a soak that was passed. */
export function problemsOf(result: SoakResult): readonly string[] {
  const { failed, failures, leaks, memory } = result;
  const expected = expectedCharge(result);
  return [
    ...(failed > 0 ? [`${failed} requests failed, the first: ${failures.join(' | ')}`] : []),
    ...(leaks > 0 ? [`${leaks} card numbers reached the upstream`] : []),
    ...(result.charged === expected ? [] : [`${result.charged} micro-units are charged, ${expected} were spent`]),
    ...Object.entries(memory).flatMap(([name, { before, after, isFlat }]) =>
      isFlat ? [] : [`${name} grows: ${megabytes(before)}, then ${megabytes(after)}`],
    ),
  ];
}

/** A stream without usage costs what was set aside for it. */
export function expectedCharge({ spent, setAside, hung }: SoakResult): number {
  return spent + setAside * hung;
}

export const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MB`;

export async function soak({
  door,
  seconds,
  clients,
  seed,
  report,
  signal,
  keepsPerSecond = 0,
}: SoakOptions): Promise<SoakResult> {
  const cleanups = createCleanups();
  try {
    const upstream = await startSoakUpstream();
    cleanups.add(() => upstream.stop());
    const data = await startDataPlane({ door, upstreamPort: upstream.port, keepsPerSecond }, cleanups);
    await until(READY_MS_MAX, () => isServed(data));
    const setAside = await costOfHanging(data, () => upstream.spent());
    report(
      `${door}: ${clients} clients for ${seconds} s, seed ${seed}; a stream given up costs ${setAside} micro-units`,
    );
    const traffic = startTraffic({ port: data.port, key: data.key, clients, seed });
    const samples: Samples = { envoy: [], sidecar: [], live: [] };
    const ends = performance.now() + seconds * 1000;
    const collectMs = Math.max(SAMPLE_MS, (seconds * 1000) / COLLECTIONS);
    let collectsAt = performance.now();
    while (performance.now() < ends && signal?.aborted !== true) {
      await pause(Math.min(SAMPLE_MS, ends - performance.now()));
      samples.envoy.push(residentBytes(data.processes.envoy));
      samples.sidecar.push(residentBytes(data.processes.sidecar));
      if (performance.now() >= collectsAt) {
        samples.live.push(await data.liveInSidecar());
        collectsAt += collectMs;
      }
      if (samples.envoy.length % TELL_EVERY_SAMPLES === 0) report(progress(traffic, samples));
    }
    await traffic.stop();
    const result = async (): Promise<SoakResult> => ({
      door,
      seconds,
      counts: traffic.counts(),
      failed: traffic.failed(),
      failures: traffic.failures,
      leaks: upstream.leaks(),
      spent: upstream.spent(),
      setAside,
      hung: upstream.hung(),
      charged: await data.charged(),
      memory: {
        envoy: flatness(samples.envoy, RESIDENT_RISE_MAX),
        sidecar: flatness(samples.live, LIVE_RISE_MAX),
      },
      sidecarResident: { least: Math.min(...samples.sidecar), most: Math.max(...samples.sidecar) },
    });
    // What was spent is told to the control plane now and then.
    let last = await result();
    const isTold = async (): Promise<boolean> => {
      last = await result();
      return last.charged >= expectedCharge(last);
    };
    await until(CHARGED_MS_MAX, isTold).catch(() => undefined);
    return last;
  } finally {
    await cleanups.run();
  }
}

const agent = new http.Agent({ keepAlive: false });

async function isServed({ port, key }: DataPlane): Promise<boolean> {
  return exchange(agent, { port, key, kind: 'plain' }).then(
    () => true,
    () => false,
  );
}

/** Micro-units that the ledger charges for one stream that is given up. */
async function costOfHanging(data: DataPlane, spent: () => number): Promise<number> {
  await until(CHARGED_MS_MAX, async () => (await data.charged()) >= spent());
  const before = await data.charged();
  await exchange(agent, { port: data.port, key: data.key, kind: 'hang' });
  await until(CHARGED_MS_MAX, async () => (await data.charged()) > before);
  return (await data.charged()) - before;
}

/** Bytes, in the order of time. */
interface Samples {
  readonly envoy: number[];
  readonly sidecar: number[];
  readonly live: number[];
}

function progress(
  { counts, failed }: { counts: () => Readonly<Record<Kind, number>>; failed: () => number },
  samples: Samples,
): string {
  const kinds = Object.entries(counts()).map(([kind, count]) => `${count} ${kind}`);
  const held = `Envoy ${megabytes(samples.envoy.at(-1) ?? 0)}, sidecar ${megabytes(samples.sidecar.at(-1) ?? 0)}, ${megabytes(samples.live.at(-1) ?? 0)} of it alive`;
  return `${samples.envoy.length} s: ${kinds.join(', ')}; ${failed()} failed; ${held}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(msMax: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`nothing settled within ${msMax} ms`);
    await pause(100);
  }
}
