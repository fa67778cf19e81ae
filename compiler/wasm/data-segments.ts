/**
 * A module's static data, read and replaced. Binaryen's published types lag behind its functions here; this is the one
 * place that says what they are.
 */
import binaryen from 'binaryen';

interface DataSegmentInfo {
  readonly name: string;
  /** Bytes from the memory's start; null where the segment is passive. */
  readonly offset: number | null;
  readonly data: ArrayBuffer;
}

interface WithDataSegments {
  getNumDataSegments(): number;
  getDataSegmentByIndex(index: number): number;
  getDataSegmentInfo(segment: number): DataSegmentInfo;
}

export interface StaticData {
  readonly offset: number;
  readonly data: Uint8Array;
}

export function dataSegments(module: binaryen.Module): readonly StaticData[] {
  const typed = module as unknown as WithDataSegments;
  return Array.from({ length: typed.getNumDataSegments() }, (_, at) => {
    const { offset, data } = typed.getDataSegmentInfo(typed.getDataSegmentByIndex(at));
    if (offset === null) throw new Error('the kernel has a passive data segment');
    return { offset, data: new Uint8Array(data) };
  });
}

/**
 * Replaces the memory, under the name that the module's code knows it by, and all of its static data. `imported` takes
 * it from `env.memory`.
 */
export function replaceMemory(
  module: binaryen.Module,
  memory: { readonly pages: number; readonly pagesMax: number; readonly imported: boolean },
  data: readonly StaticData[],
): void {
  const name = memoryName(module);
  const segments = data.map((each, at) => ({
    name: `data${at}`,
    offset: module.i32.const(each.offset),
    data: each.data,
    passive: false,
  }));
  module.setMemory(memory.pages, memory.pagesMax, null, segments, false, false, name);
  if (memory.imported) module.addMemoryImport(name, 'env', 'memory');
}

/** The kernel exports its memory. */
function memoryName(module: binaryen.Module): string {
  for (let at = 0; at < module.getNumExports(); at++) {
    const info = binaryen.getExportInfo(module.getExportByIndex(at));
    if (info.kind === binaryen.ExternalMemory) return info.value;
  }
  throw new Error('the kernel does not export its memory');
}
