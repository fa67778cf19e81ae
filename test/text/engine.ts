/** A scan host with the built-in detectors, or with some uses, for the tests of the text engine. */
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import type { DetectorUse } from '../../compiler/plan/plan.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { createScanHost, type ScanHost } from '../host/scan-host.ts';

export const builtinUses: readonly DetectorUse[] = detectors.map(({ name }) => ({ name, source: { kind: 'builtin' } }));

export async function hostFor(uses: readonly DetectorUse[] = builtinUses): Promise<ScanHost> {
  const { bytes, problems } = compileDetectors(uses, detectors);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return createScanHost(bytes);
}

/** `⟦` and `⟧` taken away, and where they stood, in bytes. */
export function marked(example: string): {
  readonly text: string;
  readonly spans: readonly (readonly [number, number])[];
} {
  const text = example.replace(/[⟦⟧]/g, '');
  const spans = [...example.matchAll(/⟦(.*?)⟧/gsu)].map(({ index, 1: value }) => {
    const start = Buffer.byteLength(example.slice(0, index).replace(/[⟦⟧]/g, ''));
    return [start, start + Buffer.byteLength(value!)] as const;
  });
  return { text, spans };
}
