/**
 * Runs the text engine alone: the kernel's `scan` entry, compiled and optimised once a process, with a section of
 * detectors. For tests and benchmarks; a session is not in it.
 */
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';
import { T_DETECTORS, TABLE_SECTIONS } from '../../filters/kernel/abi.ts';
import { compileModule } from '../../filters/kernel/build.ts';

export interface Hit {
  readonly detector: number;
  /** Offsets in bytes of UTF-8. */
  readonly start: number;
  readonly end: number;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  decision_heap_base(): number;
  alloc(size: number): number;
  free(at: number): void;
  bytesCreate(): number;
  bytesClear(bytes: number): void;
  bytesPtr(bytes: number): number;
  bytesLen(bytes: number): number;
  scanWhole(at: number, length: number, hits: number): number;
  stepCount(): bigint;
  laneCreate(): number;
  laneDestroy(lane: number): void;
  laneClear(lane: number): void;
  laneMask(lane: number, low: bigint, high: bigint): void;
  laneAppend(lane: number, at: number, length: number): void;
  laneScan(lane: number, final: number): void;
  laneDiscard(lane: number, before: number): void;
  laneFailed(lane: number): number;
  laneBase(lane: number): number;
  laneText(lane: number): number;
  laneLength(lane: number): number;
  laneHold(lane: number): number;
  laneHitCount(lane: number): number;
  laneHit(lane: number, i: number): number;
}

let compiled: Promise<WebAssembly.Module> | undefined;

async function scanModule(): Promise<WebAssembly.Module> {
  const raw = await compileModule(fileURLToPath(new URL('../../filters/kernel/scan.ts', import.meta.url)));
  const module = binaryen.readBinary(raw);
  module.setFeatures(
    binaryen.Features.SIMD128 |
      binaryen.Features.BulkMemory |
      binaryen.Features.BulkMemoryOpt |
      binaryen.Features.NontrappingFPToInt |
      binaryen.Features.SignExt |
      binaryen.Features.MutableGlobals,
  );
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  module.optimize();
  const bytes = module.emitBinary();
  module.dispose();
  return WebAssembly.compile(Uint8Array.from(bytes));
}

/**
 * A host of its own, with its own memory. `section`: what `compileDetectors` made; null where a policy has no
 * detectors.
 */
export async function createScanHost(section: Uint8Array | null): Promise<ScanHost> {
  compiled ??= scanModule();
  return new ScanHost(
    await WebAssembly.instantiate(await compiled, {
      policy: { heapStart: () => layout.heap, tables: () => layout.directory },
    }),
    section,
  );
}

/**
 * Where the instance that runs has its directory and its heap: the imports are shared, the places are the same for
 * equal sections, and are set before each call.
 */
const layout = { directory: 0, heap: 0 };

export class ScanHost {
  readonly #exports: Exports;
  readonly #place: { readonly directory: number; readonly heap: number };
  readonly #hits: number;
  #buffer = 0;
  #capacity = 0;

  constructor(instance: WebAssembly.Instance, section: Uint8Array | null) {
    this.#exports = instance.exports as unknown as Exports;
    const directory = align(this.#exports.decision_heap_base());
    const at = align(directory + 4 * TABLE_SECTIONS);
    const heap = align(at + (section?.length ?? 0));
    const missing = heap - this.#exports.memory.buffer.byteLength;
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / 65_536));
    if (section !== null) {
      new Uint8Array(this.#exports.memory.buffer).set(section, at);
      new DataView(this.#exports.memory.buffer).setUint32(directory + 4 * T_DETECTORS, at, true);
    }
    this.#place = { directory, heap };
    this.#hits = this.#call().bytesCreate();
  }

  /** Hits of a whole text. */
  scan(text: string | Uint8Array): readonly Hit[] {
    const length = this.write(text);
    return this.scanWritten(length);
  }

  /** Writes a text into the kernel's memory; answers its bytes. */
  write(text: string | Uint8Array): number {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    if (bytes.length > this.#capacity) {
      this.#call().free(this.#buffer);
      this.#buffer = this.#call().alloc(bytes.length);
      if (this.#buffer === 0) throw new Error('the kernel has no memory left');
      this.#capacity = bytes.length;
    }
    new Uint8Array(this.#exports.memory.buffer).set(bytes, this.#buffer);
    return bytes.length;
  }

  /** Hits of what was written last. */
  scanWritten(length: number): readonly Hit[] {
    this.scanOnly(length);
    return this.#readHits(this.#exports.bytesPtr(this.#hits), this.#exports.bytesLen(this.#hits) / 12);
  }

  /** As `scanWritten`, without reading the hits: what a benchmark times. */
  scanOnly(length: number): void {
    const kernel = this.#call();
    kernel.bytesClear(this.#hits);
    if (kernel.scanWhole(this.#buffer, length, this.#hits) === 0) throw new Error('the scan failed');
  }

  /** Bytes read by automata, validators and the prefilter since the host began. */
  steps(): number {
    return Number(this.#exports.stepCount());
  }

  createLane(): ScanLane {
    const lane = this.#call().laneCreate();
    if (lane === 0) throw new Error('the kernel has no memory left');
    const kernel = (): Exports => this.#call();
    return {
      append: (text) => {
        const length = this.write(text);
        kernel().laneAppend(lane, this.#buffer, length);
      },
      scan: (final) => kernel().laneScan(lane, final ? 1 : 0),
      discard: (before) => kernel().laneDiscard(lane, before),
      mask: (low, high) => kernel().laneMask(lane, low, high),
      clear: () => kernel().laneClear(lane),
      destroy: () => kernel().laneDestroy(lane),
      failed: () => kernel().laneFailed(lane) !== 0,
      base: () => kernel().laneBase(lane),
      length: () => kernel().laneLength(lane),
      hold: () => kernel().laneHold(lane),
      hits: () => this.#readHits(kernel().laneHit(lane, 0), kernel().laneHitCount(lane)),
      kept: () =>
        new Uint8Array(this.#exports.memory.buffer).slice(
          kernel().laneText(lane),
          kernel().laneText(lane) + kernel().laneLength(lane) - kernel().laneBase(lane),
        ),
    };
  }

  #readHits(at: number, count: number): readonly Hit[] {
    const view = new DataView(this.#exports.memory.buffer);
    return Array.from({ length: count }, (_, i) => ({
      detector: view.getUint32(at + i * 12, true),
      start: view.getUint32(at + i * 12 + 4, true),
      end: view.getUint32(at + i * 12 + 8, true),
    }));
  }

  #call(): Exports {
    Object.assign(layout, this.#place);
    return this.#exports;
  }
}

export interface ScanLane {
  append(text: string | Uint8Array): void;
  scan(final: boolean): void;
  discard(before: number): void;
  mask(low: bigint, high: bigint): void;
  clear(): void;
  destroy(): void;
  failed(): boolean;
  base(): number;
  length(): number;
  hold(): number;
  hits(): readonly Hit[];
  /** The raw text from `base` on. */
  kept(): Uint8Array;
}

function align(at: number): number {
  return (at + 15) & ~15;
}
