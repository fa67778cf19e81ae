/**
 * One harness for every diagnostic: a few lines of source beside a complete policy, and what is said of them, source
 * and message together.
 */
import { answerOf, type ExampleAnswer } from '../../cli/explain/answer-of.ts';
import type { DetectorCatalog } from '../../dsl/check.ts';
import type { DiagnosticCode } from '../../dsl/diagnostics-catalogue.ts';
import { renderDiagnostic } from '../../dsl/render-diagnostic.ts';

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

export { EXAMPLE_POLICY as POLICY } from '../../dsl/explain/example.ts';

export function diagnosticsOf(given: Case): ExampleAnswer {
  const { found, files } = answerOf(given, CATALOG, 'case.writ');
  return { found: found.filter((each) => each.code !== 'W0210' || given.code === 'W0210'), files };
}

export function render(given: Case): string {
  const { found, files } = diagnosticsOf(given);
  const shown =
    given.source.length > 2000 ? `${given.source.slice(0, 120)} … (${given.source.length} characters)` : given.source;
  return `\n${shown.trimEnd()}\n\n${found.map((each) => renderDiagnostic(each, files, { color: false })).join('\n')}`;
}
