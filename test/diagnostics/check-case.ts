/**
 * One harness for every diagnostic: a few lines of source beside a complete policy, and what is said of them, source
 * and message together.
 */
import { compileDiagnostics } from '../../compiler/compile-diagnostics.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { compileDetectors } from '../../compiler/text/compile-detectors.ts';
import { checkProgram, type DetectorCatalog } from '../../dsl/check.ts';
import type { Diagnostic } from '../../dsl/diagnostic.ts';
import type { DiagnosticCode } from '../../dsl/diagnostics-catalogue.ts';
import { expiryDiagnostics } from '../../dsl/expiry.ts';
import type { Program } from '../../dsl/program.ts';
import { renderDiagnostic } from '../../dsl/render-diagnostic.ts';
import { type SourceFile, sourceFile } from '../../dsl/source.ts';
import { unenforcedDiagnostics } from '../../dsl/unenforced.ts';
import { detectors } from '../../filters/detectors/detectors.ts';

export type Case = {
  readonly code: DiagnosticCode;
  readonly source: string;
  /** Without the policy beside it. */
  readonly alone?: true;
  /** Only the compiler finds it, once the checker has nothing more to say. */
  readonly compiled?: true;
};

export const CATALOG: DetectorCatalog = [
  'email',
  'phone',
  'payment_card',
  'iban',
  'us_ssn',
  'ip_address',
  'ipv6',
  'aws_key',
  'api_key',
  'passport',
  'date_of_birth',
  'jwt',
].map((name) => ({ name, title: name, examples: [] }));

/** When what ends is looked at. */
const TODAY = Date.parse('2026-12-01T12:00:00Z');

export const POLICY = `policy bank {
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
  base classification: internal
}
classification = public < internal < confidential < secret
branch = vienna | graz | linz
site = inside | outside
caller {
  id: text from claim "sub"
  branch: branch from claim "branch"
  groups: set of text from claim "groups" else {}
  manager: optional text from claim "manager"
  trusted: bool from claim "trusted" else false
  since: time from claim "since" else 2020-01-01
}
models { site: site  clearance: classification }
model big "big-1" {
  provider: openai  site: outside  clearance: internal
  input_price: 2.50 usd per 1M tokens  output_price: 10 usd per 1M tokens  context: 128_000 tokens
}
model own "own-1" {
  provider: llama_cpp  site: inside  clearance: secret
  input_price: 0.02 usd per 1M tokens  output_price: 0.05 usd per 1M tokens  context: 4_096 tokens
}
store files chroma "files" {
  name: text from metadata "name"
  version: int from metadata "version"
  readers: set of text from metadata "readers"
  level: classification from metadata "level" else secret
  branch: branch from metadata "branch"
}
list vendors of text from "vendors" max age 1 day
recipient desk by webhook "desk"
reviewers lawyers from group "lawyers"
hours opening = monday to friday 08:00 to 16:00
tool transfer "transfer_*" { amount: money from argument "amount" }
switch stop_all "Stop everything" by "on-call"
rule base
  on retrieval from files
  allow chunk where chunk.readers overlaps caller.groups
  withhold chunk unless chunk.level is at most internal
`;

export function diagnosticsOf(given: Case): {
  readonly found: readonly Diagnostic[];
  readonly files: ReadonlyMap<string, SourceFile>;
} {
  const file = sourceFile('case.writ', given.source);
  const all = given.alone === true ? [file] : [sourceFile('policy.writ', POLICY), file];
  const result = checkProgram(all, CATALOG);
  const { program } = result;
  const later =
    program === null
      ? []
      : given.compiled === true
        ? compiled(program)
        : given.code.startsWith('E09')
          ? unenforcedDiagnostics(program)
          : [];
  const ending = program === null ? [] : expiryDiagnostics(program, TODAY);
  const found = [...result.diagnostics, ...ending, ...later];
  return {
    found: found.filter(
      (each) => each.span.file !== 'policy.writ' && (each.code !== 'W0210' || given.code === 'W0210'),
    ),
    files: new Map(all.map((each) => [each.path, each])),
  };
}

export function render(given: Case): string {
  const { found, files } = diagnosticsOf(given);
  const shown =
    given.source.length > 2000 ? `${given.source.slice(0, 120)} … (${given.source.length} characters)` : given.source;
  return `\n${shown.trimEnd()}\n\n${found.map((each) => renderDiagnostic(each, files, { color: false })).join('\n')}`;
}

/** What compiling finds, as the command line says it. */
function compiled(program: Program): Diagnostic[] {
  const plan = lower(program, { sourceHash: '', compilerVersion: '' });
  return compileDiagnostics(program, plan, compileDetectors(plan.detectors, detectors).problems);
}
