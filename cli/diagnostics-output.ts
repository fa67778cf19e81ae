/** Prints diagnostics: for people on standard error or output, or as the JSON that scripts rely on. */
import { type Diagnostic, diagnosticToJson } from '../dsl/diagnostic.ts';
import { renderDiagnostic } from '../dsl/render-diagnostic.ts';
import type { SourceFile } from '../dsl/source.ts';

export function diagnosticsJson(diagnostics: readonly Diagnostic[], files: readonly SourceFile[]): string {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return `${JSON.stringify({ diagnostics: diagnostics.map((each) => diagnosticToJson(each, byPath)) }, null, 2)}\n`;
}

/** Every diagnostic, then one line that counts them; empty where there is none. */
export function diagnosticsText(
  diagnostics: readonly Diagnostic[],
  files: readonly SourceFile[],
  colour: boolean,
): string {
  if (diagnostics.length === 0) return '';
  const byPath = new Map(files.map((file) => [file.path, file]));
  const rendered = diagnostics.map((each) => renderDiagnostic(each, byPath, { color: colour }));
  return `${rendered.join('\n')}\n${summary(diagnostics)}\n`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === 'error');
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic['severity']): string | null => {
    const number = diagnostics.filter((each) => each.severity === severity).length;
    return number === 0 ? null : `${number} ${severity}${number === 1 ? '' : 's'}`;
  };
  return [count('error'), count('warning')].filter((part) => part !== null).join(', ');
}
