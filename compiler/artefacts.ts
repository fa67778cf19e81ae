/**
 * Everything that is made of a plan, as the files of a bundle. Each emitter is a line of the list below; none reads
 * another's output. Pure: detectors, protocols and the built kernels are arguments.
 */
import { createHash } from 'node:crypto';
import type { Detector } from '../filters/detectors/detector.ts';
import type { Protocol } from '../filters/protocols/protocol.ts';
import { BUNDLE_PATHS, type BundleFiles, sourcePath } from './bundle/bundle-paths.ts';
import type { Deployment } from './deployment/deployment.ts';
import type { Door } from '../proto/door.ts';
import type { Plan, Span } from './plan/plan.ts';
import { positionOf, sourceFile } from '../dsl/source.ts';
import { emitRego } from './rego/emit-rego.ts';
import { reportOf } from './report/report.ts';
import { reportText } from './report/report-text.ts';
import { decisionSchema } from './schema/decision-schema.ts';
import { inputSchema } from './schema/input-schema.ts';
import type { Identity } from './tables/catalog.ts';
import { protocolTable } from './tables/protocols.ts';
import { type CompiledDetectors, compileDetectors } from './text/compile-detectors.ts';
import { filterWasm } from './wasm/filter-wasm.ts';
import { policyWasm } from './wasm/policy-wasm.ts';

export interface ArtefactInput {
  readonly plan: Plan;
  /** The policy's files, as they go into the bundle. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  readonly kernels: { readonly session: Uint8Array; readonly opa: Uint8Array };
  readonly detectors: readonly Detector[];
  readonly protocols: readonly Protocol[];
  /** Where it runs; without one the bundle decides, but governs no traffic. */
  readonly deployment: { readonly parsed: Deployment; readonly text: string } | null;
  /** How Envoy asks the policy. */
  readonly door: Door;
  /**
   * The text of `types.d.ts` (types/types.ts): printed meanwhile, since it takes as long as all else. Null: not wanted.
   */
  readonly types: Promise<string> | null;
  /** Which of the files are wanted, by path; null: all. */
  readonly wanted: ReadonlySet<string> | null;
}

type Content = Uint8Array | string | null;

interface Emitter {
  readonly path: string;
  /** Null: there is nothing to emit for this input. */
  emit(input: ArtefactInput, detectors: CompiledDetectors): Content | Promise<Content>;
}

const emitters: readonly Emitter[] = [
  { path: BUNDLE_PATHS.plan, emit: ({ plan }) => json(plan) },
  { path: BUNDLE_PATHS.data, emit: ({ plan }) => json({ writ: emitRego(plan).data }) },
  { path: BUNDLE_PATHS.rego, emit: ({ plan, sources }) => emitRego(plan, placeIn(sources)).policy },
  { path: BUNDLE_PATHS.regoLibrary, emit: ({ plan }) => emitRego(plan).library },
  { path: BUNDLE_PATHS.policyWasm, emit: ({ plan, kernels }) => policyWasm(kernels.opa, plan) },
  {
    path: BUNDLE_PATHS.filterWasm,
    emit: ({ plan, kernels, protocols, deployment }, detectors) =>
      filterWasm({
        kernel: kernels.session,
        plan,
        detectors: detectors.bytes,
        protocols: protocolTable(protocols),
        identities: identitiesOf(deployment?.parsed ?? null),
      }),
  },
  {
    path: BUNDLE_PATHS.reportJson,
    emit: (input, detectors) => json(reportFor(input, detectors)),
  },
  { path: BUNDLE_PATHS.reportText, emit: (input, detectors) => reportText(reportFor(input, detectors)) },
  { path: BUNDLE_PATHS.inputSchema, emit: ({ plan }) => json(inputSchema(plan)) },
  { path: BUNDLE_PATHS.decisionSchema, emit: ({ plan }) => json(decisionSchema(plan)) },
  { path: BUNDLE_PATHS.types, emit: ({ types }) => types },
  { path: BUNDLE_PATHS.deployment, emit: ({ deployment }) => (deployment === null ? null : json(deployment.parsed)) },
  {
    path: BUNDLE_PATHS.envoy,
    async emit({ plan, deployment, door }) {
      if (deployment === null) return null;
      // Reading the descriptors of Envoy's messages takes longer than checking a policy: only for whoever needs them.
      const { envoyResources, printEnvoyResources } = await import('./envoy/envoy-resources.ts');
      return printEnvoyResources(envoyResources(plan, deployment.parsed, door));
    },
  },
];

export async function artefacts(input: ArtefactInput): Promise<{
  readonly files: BundleFiles;
  readonly problems: CompiledDetectors['problems'];
}> {
  const detectors = compileDetectors(input.plan.detectors, input.detectors);
  const files = new Map<string, Uint8Array>();
  if (detectors.problems.length > 0) return { files, problems: detectors.problems };
  const wanted = emitters.filter(({ path }) => input.wanted?.has(path) ?? true);
  const contents = await Promise.all(
    wanted.map(async ({ path, emit }) => ({ path, content: await emit(input, detectors) })),
  );
  for (const { path, content } of contents)
    if (content !== null) files.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  if (input.wanted === null)
    for (const { path, text } of input.sources) files.set(sourcePath(path), new TextEncoder().encode(text));
  return { files, problems: [] };
}

/** `prompts.writ:12:3`, as diagnostics write it. */
function placeIn(sources: ArtefactInput['sources']): (span: Span) => string {
  const files = new Map(sources.map(({ path, text }) => [path, sourceFile(path, text)]));
  return ({ file, start }) => {
    const source = files.get(file);
    if (source === undefined) return file;
    const { line, column } = positionOf(source, start);
    return `${file}:${line}:${column}`;
  };
}

function reportFor(
  { plan, protocols, deployment, door }: ArtefactInput,
  detectors: CompiledDetectors,
): ReturnType<typeof reportOf> {
  const holdMost = new Map(detectors.report.map(({ detector, holdMost }) => [detector, holdMost]));
  return reportOf(plan, protocols, holdMost, deployment?.parsed.identity ?? null, deployment === null ? null : door);
}

/** Callers that are known by a key or a certificate: both are looked up by a SHA-256. */
export function identitiesOf(deployment: Deployment | null): Identity[] {
  if (deployment === null) return [];
  const { apiKeys, sans } = deployment.identity;
  return [
    ...apiKeys.map(({ sha256, claims }) => ({ sha256, claims })),
    // A zero before it, which no header can hold: a certificate's name is no secret, and must not do as an API key.
    ...sans.map(({ san, claims }) => ({ sha256: createHash('sha256').update(`\0${san}`).digest('hex'), claims })),
  ];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
