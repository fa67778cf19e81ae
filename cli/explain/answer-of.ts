/** What is said of a few lines of source beside the policy of the examples: by checking, or by compiling, as they ask. */
import { compileDiagnostics } from '../../compiler/compile-diagnostics.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import { checkProgram, type DetectorCatalog } from '../../dsl/check.ts';
import type { Diagnostic } from '../../dsl/diagnostic.ts';
import type { DiagnosticCode } from '../../dsl/diagnostics-catalogue.ts';
import { expiryDiagnostics } from '../../dsl/expiry.ts';
import { EXAMPLE_IMPORT, EXAMPLE_POLICY, EXAMPLE_TODAY } from '../../dsl/explain/example.ts';
import type { Program } from '../../dsl/program.ts';
import { type SourceFile, sourceFile } from '../../dsl/source.ts';
import { unenforcedDiagnostics } from '../../dsl/unenforced.ts';
import { detectors } from '../../filters/detectors/detectors.ts';
import { protocols } from '../../filters/protocols/protocols.ts';

export interface ExampleSource {
  readonly code: DiagnosticCode;
  readonly source: string;
  /** Without the policy beside it. */
  readonly alone?: true;
  /** Only the compiler finds it, once the checker has nothing more to say. */
  readonly compiled?: true;
}

export interface ExampleAnswer {
  /** Of the lines themselves; the policy beside them is not spoken of. */
  readonly found: readonly Diagnostic[];
  readonly files: ReadonlyMap<string, SourceFile>;
}

const BESIDE = 'policy.writ';

export function answerOf(given: ExampleSource, catalog: DetectorCatalog, path = 'example.writ'): ExampleAnswer {
  const file = sourceFile(path, given.source);
  const all = withCompany(file, given.alone === true);
  const { program, diagnostics } = checkProgram(all, catalog);
  const later = program === null ? [] : laterDiagnostics(given, program);
  return {
    found: [...diagnostics, ...later].filter((each) => each.span.file !== BESIDE),
    files: new Map(all.map((each) => [each.path, each])),
  };
}

/** The example, what stands beside it unless it is a whole policy, and what it imports. */
export function withCompany(example: SourceFile, alone: boolean): readonly SourceFile[] {
  const own = alone ? [example] : [sourceFile(BESIDE, EXAMPLE_POLICY), example];
  return [...own, ...importedBy(example)];
}

function importedBy({ text }: SourceFile): readonly SourceFile[] {
  const { path, sha256, text: imported } = EXAMPLE_IMPORT;
  return /^import /m.test(text) ? [{ ...sourceFile(path, imported), importedAs: sha256 }] : [];
}

function laterDiagnostics(given: ExampleSource, program: Program): readonly Diagnostic[] {
  const ending = expiryDiagnostics(program, EXAMPLE_TODAY);
  if (given.compiled === true) {
    const plan = lower(program, { sourceHash: '', compilerVersion: '' });
    const { problems } = compileDetectors(plan.detectors, detectors);
    return [...ending, ...compileDiagnostics(program, plan, problems, protocols)];
  }
  return given.code.startsWith('E09') ? [...ending, ...unenforcedDiagnostics(program)] : ending;
}
