/**
 * Syntax tree → source in the one style: a clause a line, two spaces of indentation, at most one blank line. Comments
 * stay where they were: after their line, or before the line that followed them. Printing what was printed changes
 * nothing.
 */
import { printDeclaration, type PrintedLine } from './print/print-declaration.ts';
import type { SourceFile } from './source.ts';
import type { Comment, SyntaxFile } from './syntax-tree.ts';

const INDENT = '  ';

type Line = PrintedLine & { readonly declaration: number; readonly manyLined: boolean };

/** `source` is what the file was parsed from; null for a tree that was never text, which has no comments. */
export function print(file: SyntaxFile, source: SourceFile | null): string {
  const lines = file.declarations.flatMap((each, declaration): Line[] => {
    const printed = printDeclaration(each);
    return printed.map((line) => ({ ...line, declaration, manyLined: printed.length > 1 }));
  });
  const { leading, trailing, last } = attach(file.comments, lines, source);
  const out: string[] = [];
  const blank = (): void => {
    if (out.length > 0 && out.at(-1) !== '') out.push('');
  };
  for (const [index, line] of lines.entries()) {
    const before = leading.get(index) ?? [];
    const previous = lines[index - 1];
    const opens = previous !== undefined && previous.declaration !== line.declaration;
    if (opens && (previous.manyLined || line.manyLined)) blank();
    for (const comment of before) {
      if (isAfterBlank(source, comment.span.start) && !(previous?.opens === true)) blank();
      out.push(INDENT.repeat(line.indent + (line.closes ? 1 : 0)) + comment.text);
    }
    const kept =
      source === null
        ? opens && file.declarations[previous.declaration]?.kind !== file.declarations[line.declaration]?.kind
        : isAfterBlank(source, line.start);
    if (kept && !line.closes && (previous?.opens !== true || before.length > 0)) blank();
    const [comment, ...more] = trailing.get(index) ?? [];
    for (const each of more) out.push(INDENT.repeat(line.indent) + each.text);
    out.push(
      ...`${line.text}${comment === undefined ? '' : `  ${comment.text}`}`
        .split('\n')
        .map((text) => INDENT.repeat(line.indent) + text),
    );
    for (const each of last.get(index) ?? []) out.push(INDENT + each.text);
  }
  for (const comment of leading.get(lines.length) ?? []) {
    if (isAfterBlank(source, comment.span.start)) blank();
    out.push(comment.text);
  }
  return out.length === 0 ? '' : `${out.join('\n')}\n`;
}

type Attached = {
  /** By the index of the line that they stand before; the number of lines for those at the end. */
  readonly leading: ReadonlyMap<number, readonly Comment[]>;
  readonly trailing: ReadonlyMap<number, readonly Comment[]>;
  /** Indented comments after the last clause of a declaration. */
  readonly last: ReadonlyMap<number, readonly Comment[]>;
};

function attach(comments: readonly Comment[], lines: readonly Line[], source: SourceFile | null): Attached {
  const leading = new Map<number, Comment[]>();
  const trailing = new Map<number, Comment[]>();
  const last = new Map<number, Comment[]>();
  const add = (map: Map<number, Comment[]>, index: number, comment: Comment): void => {
    const list = map.get(index);
    if (list === undefined) map.set(index, [comment]);
    else list.push(comment);
  };
  let next = 0;
  for (const comment of comments) {
    while (next < lines.length && (lines[next]?.start ?? 0) < comment.span.start) next += 1;
    const before =
      source === null
        ? ''
        : source.text.slice(source.text.lastIndexOf('\n', comment.span.start - 1) + 1, comment.span.start);
    if (before.trim() !== '' && next > 0) add(trailing, next - 1, comment);
    else if (
      before !== '' &&
      next > 0 &&
      (lines[next]?.indent ?? 0) === 0 &&
      lines[next]?.closes !== true &&
      (lines[next - 1]?.indent ?? 0) > 0
    ) {
      add(last, next - 1, comment);
    } else add(leading, next, comment);
  }
  return { leading, trailing, last };
}

function isAfterBlank(source: SourceFile | null, start: number): boolean {
  if (source === null) return false;
  let newlines = 0;
  for (let at = start - 1; at >= 0 && newlines < 2; at--) {
    const character = source.text[at];
    if (character === '\n') newlines += 1;
    else if (character !== ' ' && character !== '\t' && character !== '\r') return false;
  }
  return newlines === 2;
}
