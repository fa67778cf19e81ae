/**
 * The one record of a user's mistake. Rendering is in `render-diagnostic.ts`; codes, titles and explanations are in
 * `diagnostics-catalogue.ts`.
 */
import type { DiagnosticCode } from './diagnostics-catalogue.ts';
import type { Position, SourceFile, Span } from './source.ts';
import { positionOf } from './source.ts';

export type Severity = 'error' | 'warning';
/** Another place that matters, with what is there. */
export type Label = { readonly span: Span; readonly message: string };
export type Edit = { readonly span: Span; readonly text: string };
/** What to do. `edits` may be applied as they stand, all of them together. */
export type Help = { readonly message: string; readonly edits: readonly Edit[] };
export type Diagnostic = {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** Lower case, one line, no full stop, what the user wrote in backticks. */
  readonly message: string;
  readonly span: Span;
  readonly labels: readonly Label[];
  readonly help: readonly Help[];
};

/** Labels and help that do not apply are given as null and left out. */
export function diagnostic(
  code: DiagnosticCode,
  span: Span,
  message: string,
  more: { readonly labels?: readonly (Label | null)[]; readonly help?: readonly (Help | null)[] } = {},
): Diagnostic {
  return {
    code,
    severity: code.startsWith('W') ? 'warning' : 'error',
    message,
    span,
    labels: (more.labels ?? []).filter((label) => label !== null),
    help: (more.help ?? []).filter((help) => help !== null),
  };
}

export function label(span: Span | null, message: string): Label | null {
  return span === null ? null : { span, message };
}

export function help(message: string): Help {
  return { message, edits: [] };
}

export function replaceWith(span: Span, text: string, message = `write \`${text}\``): Help {
  return { message, edits: [{ span, text }] };
}

export function didYouMeanHelp(span: Span, name: string | null): Help | null {
  return name === null ? null : { message: `did you mean \`${name}\`?`, edits: [{ span, text: name }] };
}

/** Files in order of path, then place, then code: the order in which diagnostics are shown. */
export function compareDiagnostics(a: Diagnostic, b: Diagnostic): number {
  if (a.span.file !== b.span.file) return a.span.file < b.span.file ? -1 : 1;
  if (a.span.start !== b.span.start) return a.span.start - b.span.start;
  return a.code < b.code ? -1 : a.code > b.code ? 1 : 0;
}

type JsonSpan = { readonly start: Position; readonly end: Position };
export type DiagnosticJson = {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  readonly span: JsonSpan;
  readonly labels: readonly { readonly message: string; readonly file: string; readonly span: JsonSpan }[];
  readonly help: readonly {
    readonly message: string;
    readonly edits: readonly { readonly file: string; readonly span: JsonSpan; readonly text: string }[];
  }[];
};

/** The form that `writ check --json` prints. `files` holds every file that a span names. */
export function diagnosticToJson(diagnostic: Diagnostic, files: ReadonlyMap<string, SourceFile>): DiagnosticJson {
  const place = (span: Span): { file: string; span: JsonSpan } => {
    const source = files.get(span.file);
    const at = (offset: number): Position =>
      source === undefined ? { line: 1, column: 1 } : positionOf(source, offset);
    return { file: span.file, span: { start: at(span.start), end: at(span.end) } };
  };
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    ...place(diagnostic.span),
    labels: diagnostic.labels.map((each) => ({ message: each.message, ...place(each.span) })),
    help: diagnostic.help.map((each) => ({
      message: each.message,
      edits: each.edits.map((edit) => ({ ...place(edit.span), text: edit.text })),
    })),
  };
}
