/**
 * From a policy's path to a bundle: reads the files, checks, lowers, emits, signs. The one place that brings together
 * the compiler, the detectors, the protocols and the kernels that were built with this clone.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { artefacts } from '../compiler/artefacts.ts';
import { BUNDLE_PATHS, type BundleFiles } from '../compiler/bundle/bundle-paths.ts';
import type { SigningKey } from '../compiler/bundle/jws.ts';
import { writeBundle } from '../compiler/bundle/write-bundle.ts';
import { compileDiagnostics } from '../compiler/compile-diagnostics.ts';
import { parseDeployment } from '../compiler/deployment/parse-deployment.ts';
import { type Door, DOORS } from '../proto/door.ts';
import { type ChosenDoor, doorReport, usualDoor } from '../compiler/plan/doors.ts';
import { lower } from '../compiler/lower/lower.ts';
import type { Plan } from '../compiler/plan/plan.ts';
import { checkProgram } from '../dsl/check.ts';
import type { Diagnostic } from '../dsl/diagnostic.ts';
import type { Program } from '../dsl/program.ts';
import type { SourceFile } from '../dsl/source.ts';
import { expiryDiagnostics } from '../dsl/expiry.ts';
import { unenforcedDiagnostics } from '../dsl/unenforced.ts';
import { detectors } from '../filters/detectors/detectors.ts';
import { protocols } from '../filters/protocols/protocols.ts';
import { CommandError } from './command.ts';
import { detectorCatalog } from './detector-catalog.ts';
import { hasErrors } from './diagnostics-output.ts';
import { readPolicyFiles } from './policy-files.ts';
import { startTypesPrinter, type TypesPrinter } from './types-printer.ts';
import { VERSION } from './version.ts';

export interface CompileOptions {
  readonly path: string;
  readonly cwd: string;
  readonly allowUnenforced: boolean;
  /** Path of `deployment.json`; null: the one in the policy's folder, if there is one. */
  readonly deployment: string | null;
  /** How Envoy is to ask the policy; where it is not given, the fastest that can serve the policy. */
  readonly door?: Door;
  /** Which files of the bundle are wanted, by path; where it is not given, all. */
  readonly wanted?: ReadonlySet<string>;
  /** When what ends is looked at, in milliseconds since 1970 UTC; where it is not given, now. */
  readonly today?: number;
}

export interface Compiled {
  readonly plan: Plan;
  readonly program: Program;
  readonly files: BundleFiles;
  readonly door: ChosenDoor;
}

export interface CompileResult {
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceFile[];
  /** Null where a diagnostic is an error. */
  readonly compiled: Compiled | null;
}

export async function compile(options: CompileOptions): Promise<CompileResult> {
  const printer = (options.wanted?.has(BUNDLE_PATHS.types) ?? true) ? startTypesPrinter() : null;
  try {
    return await compileWith(printer, options);
  } finally {
    printer?.stop();
  }
}

async function compileWith(printer: TypesPrinter | null, options: CompileOptions): Promise<CompileResult> {
  const { folder, files: sources } = await readPolicyFiles(options.path, options.cwd);
  const checked = checkProgram(sources, detectorCatalog);
  const { program } = checked;
  if (program === null || hasErrors(checked.diagnostics))
    return { diagnostics: checked.diagnostics, sources, compiled: null };

  const unenforced = unenforcedDiagnostics(program).map((each): Diagnostic =>
    options.allowUnenforced ? { ...each, severity: 'warning' } : each,
  );
  const diagnostics = [
    ...checked.diagnostics,
    ...expiryDiagnostics(program, options.today ?? Date.now()),
    ...unenforced,
  ];
  if (hasErrors(diagnostics)) return { diagnostics, sources, compiled: null };

  const plan = lower(program, { sourceHash: hashOf(sources), compilerVersion: VERSION });
  const door = doorFor(plan, options.door);
  const types = printer?.print(plan) ?? null;
  const { files, problems } = await artefacts({
    plan,
    types,
    sources,
    kernels: await readKernels(),
    detectors,
    protocols,
    deployment: await readDeployment(options, folder, plan),
    door: door.door,
    wanted: options.wanted ?? null,
  });
  const late = compileDiagnostics(program, plan, problems, protocols).map((each): Diagnostic =>
    options.allowUnenforced && each.code === 'E0802' ? { ...each, severity: 'warning' } : each,
  );
  return {
    diagnostics: [...diagnostics, ...late],
    sources,
    compiled: hasErrors(late) ? null : { plan, program, files, door },
  };
}

function doorFor(plan: Plan, wanted: Door | undefined): ChosenDoor {
  if (wanted === undefined) return usualDoor(plan);
  const { obstacles } = doorReport(plan, wanted);
  if (obstacles.length === 0) return { door: wanted, passedOver: [] };
  const other = DOORS.find((door) => doorReport(plan, door).obstacles.length === 0);
  throw new CommandError(
    `the door \`${wanted}\` cannot serve this policy: ${obstacles.join('; ')}`,
    ...(other === undefined ? [] : [`build it with \`--door ${other}\``]),
  );
}

/**
 * The bundle's bytes. Without a key it is unsigned: good for OPA and for looking into, and refused by every sidecar.
 */
export function bundleOf({ plan, files }: Compiled, key: SigningKey | null): Uint8Array {
  return writeBundle(files, {
    policy: plan.policy,
    compilerVersion: plan.compilerVersion,
    sourceHash: plan.sourceHash,
    planVersion: plan.version,
    ...(key === null ? {} : { key }),
  });
}

/** SHA-256 over every file's path and text, in order of path: the same policy in another folder has the same hash. */
function hashOf(sources: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  for (const { path, text } of sources) hash.update(`${path}\0${Buffer.byteLength(text)}\0${text}`);
  return hash.digest('hex');
}

async function readKernels(): Promise<{ session: Uint8Array; opa: Uint8Array }> {
  const folder = fileURLToPath(new URL('../build/kernel', import.meta.url));
  const read = (name: string): Promise<Uint8Array> =>
    readFile(join(folder, name)).catch(() => {
      throw new CommandError(`the compiled kernel \`${name}\` is missing`, 'run `npm run build`');
    });
  const [session, opa] = await Promise.all([read('session.wasm'), read('opa.wasm')]);
  return { session, opa };
}

async function readDeployment({ deployment, cwd }: CompileOptions, folder: string, plan: Plan) {
  const path = deployment ?? join(folder, 'deployment.json');
  const text = await readFile(deployment === null ? path : join(cwd, path), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' && deployment === null) return null;
      throw new CommandError(
        error.code === 'ENOENT'
          ? `there is no deployment file \`${path}\``
          : `the deployment file \`${path}\` cannot be read: ${error.code ?? 'unknown error'}`,
      );
    },
  );
  if (text === null) return null;
  const parsed = parseDeployment(text, plan);
  if (parsed.kind === 'deployment') return { parsed: parsed.deployment, text };
  const problems = parsed.problems.map(
    (problem) =>
      `  ${problem.path === '' ? 'the document' : problem.path}: ${problem.message}${problem.help === undefined ? '' : ` (${problem.help})`}`,
  );
  throw new CommandError(`the deployment file \`${path}\` is not right:\n${problems.join('\n')}`);
}
