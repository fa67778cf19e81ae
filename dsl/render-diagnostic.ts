/**
 * A diagnostic as people read it: place, source lines with carets under the spans, labels, help. Decides nothing;
 * prints nothing.
 */
import type { Diagnostic, Edit, Help } from './diagnostic.ts';
import type { SourceFile, Span } from './source.ts';
import { lineText, positionOf } from './source.ts';

type Mark = { readonly span: Span; readonly message: string; readonly primary: boolean };
type Paint = (style: Style, text: string) => string;
type Style = 'error' | 'warning' | 'label' | 'gutter' | 'strong' | 'help';

const ANSI: { readonly [K in Style]: string } = {
  error: '31;1',
  warning: '33;1',
  label: '34',
  gutter: '34',
  strong: '1',
  help: '32',
};
/** Two marks this near are shown in one window. */
const GAP_LINES_MAX = 2;
const LINE_CHARACTERS_MAX = 200;

export function renderDiagnostic(
  diagnostic: Diagnostic,
  files: ReadonlyMap<string, SourceFile>,
  options: { readonly color: boolean },
): string {
  const paint: Paint = options.color ? (style, text) => `\u001b[${ANSI[style]}m${text}\u001b[0m` : (_, text) => text;
  const marks: Mark[] = [
    { span: diagnostic.span, message: '', primary: true },
    ...diagnostic.labels.map((each) => ({ ...each, primary: false })),
  ];
  const width = Math.max(...marks.map((mark) => lastLineOf(mark.span, files))).toString().length;
  const lines = [
    `${paint(diagnostic.severity, `${diagnostic.severity}[${diagnostic.code}]`)}${paint('strong', `: ${diagnostic.message}`)}`,
  ];
  const paths = [...new Set(marks.map((mark) => mark.span.file))];
  for (const [index, path] of paths.entries()) {
    const source = files.get(path);
    const inFile = marks.filter((mark) => mark.span.file === path);
    const first = inFile[0];
    if (source === undefined || first === undefined) continue;
    const at = positionOf(source, first.span.start);
    lines.push(`${' '.repeat(width)}${paint('gutter', index === 0 ? '-->' : ':::')} ${path}:${at.line}:${at.column}`);
    lines.push(...snippet(source, inFile, width, diagnostic.severity, paint));
  }
  for (const each of diagnostic.help) lines.push(...renderHelp(each, files, width, paint));
  return `${lines.join('\n')}\n`;
}

function snippet(
  source: SourceFile,
  marks: readonly Mark[],
  width: number,
  severity: 'error' | 'warning',
  paint: Paint,
): string[] {
  const byLine = new Map<number, Mark[]>();
  for (const mark of marks) {
    const line = positionOf(source, mark.span.start).line;
    byLine.set(line, [...(byLine.get(line) ?? []), mark]);
  }
  const bar = paint('gutter', '|');
  const lines = [`${' '.repeat(width)} ${bar}`];
  let previous: number | null = null;
  for (const line of [...byLine.keys()].sort((a, b) => a - b)) {
    if (previous !== null && line - previous > GAP_LINES_MAX) lines.push(paint('gutter', '...'));
    else if (previous !== null) {
      for (let between = previous + 1; between < line; between++) lines.push(sourceLine(source, between, width, paint));
    }
    lines.push(sourceLine(source, line, width, paint));
    const onLine = (byLine.get(line) ?? []).sort((a, b) => a.span.start - b.span.start);
    for (const mark of onLine) {
      lines.push(`${' '.repeat(width)} ${bar} ${underline(source, line, mark, severity, paint)}`);
    }
    previous = line;
  }
  return lines;
}

function underline(source: SourceFile, line: number, mark: Mark, severity: 'error' | 'warning', paint: Paint): string {
  const text = lineText(source, line);
  const from = positionOf(source, mark.span.start).column - 1;
  const to = Math.min(text.length, from + (mark.span.end - mark.span.start));
  const pad = text.slice(0, from).replace(/[^\t]/g, ' ').slice(0, LINE_CHARACTERS_MAX);
  const carets = (mark.primary ? '^' : '-').repeat(Math.max(1, Math.min(to, LINE_CHARACTERS_MAX) - from));
  return pad + paint(mark.primary ? severity : 'label', mark.message === '' ? carets : `${carets} ${mark.message}`);
}

function sourceLine(source: SourceFile, line: number, width: number, paint: Paint): string {
  const text = lineText(source, line);
  const shown = text.length > LINE_CHARACTERS_MAX ? `${text.slice(0, LINE_CHARACTERS_MAX)}…` : text;
  return `${paint('gutter', `${line.toString().padStart(width)} |`)}${shown === '' ? '' : ` ${shown}`}`;
}

function renderHelp(each: Help, files: ReadonlyMap<string, SourceFile>, width: number, paint: Paint): string[] {
  const lines = [`${' '.repeat(width)} ${paint('gutter', '=')} ${paint('help', 'help')}: ${each.message}`];
  const [edit] = each.edits;
  const source = edit === undefined ? undefined : files.get(edit.span.file);
  // A fix that the message spells out is not drawn again.
  if (
    edit === undefined ||
    source === undefined ||
    (each.edits.length === 1 && each.message.includes(`\`${edit.text.trim()}\``))
  ) {
    return lines;
  }
  const { line } = positionOf(source, edit.span.start);
  const fixed = editedLine(source, line, each.edits);
  if (fixed === null) return lines;
  for (const [index, part] of fixed.split('\n').entries()) {
    lines.push(`${paint('gutter', `${(line + index).toString().padStart(width)} ~`)} ${paint('help', part)}`);
  }
  return lines;
}

/** The line after all edits; null if they are not all within it. */
function editedLine(source: SourceFile, line: number, edits: readonly Edit[]): string | null {
  const start = source.lineStarts[line - 1] ?? 0;
  let text = lineText(source, line);
  const within = edits.every(
    (edit) => edit.span.file === source.path && edit.span.start >= start && edit.span.end <= start + text.length,
  );
  if (!within) return null;
  for (const edit of [...edits].sort((a, b) => b.span.start - a.span.start)) {
    text = text.slice(0, edit.span.start - start) + edit.text + text.slice(edit.span.end - start);
  }
  return text;
}

function lastLineOf(span: Span, files: ReadonlyMap<string, SourceFile>): number {
  const source = files.get(span.file);
  return source === undefined ? 1 : positionOf(source, span.start).line;
}
