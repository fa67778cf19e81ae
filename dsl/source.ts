/**
 * A source text and its positions. Offsets are UTF-16 units; lines and columns count from 1. Reads no file: the text is
 * given.
 */

/** A piece of a source file, `end` exclusive. */
export type Span = { readonly file: string; readonly start: number; readonly end: number };
export type Position = { readonly line: number; readonly column: number };
export type SourceFile = {
  readonly path: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
  /** Of a file that another one imports: SHA-256 (hex) of its bytes. */
  readonly importedAs?: string;
};

export const FILE_BYTES_MAX = 1024 * 1024;

export function sourceFile(path: string, text: string): SourceFile {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { path, text, lineStarts };
}

export function positionOf(source: SourceFile, offset: number): Position {
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (source.lineStarts[low] ?? 0) + 1 };
}

/** The text of a line from 1, without its line end. */
export function lineText(source: SourceFile, line: number): string {
  const start = source.lineStarts[line - 1] ?? source.text.length;
  const next = source.lineStarts[line];
  return source.text.slice(start, next === undefined ? source.text.length : next - 1).replace(/\r$/, '');
}

/** The smallest span that holds both. */
export function cover(first: Span, last: Span): Span {
  return { file: first.file, start: Math.min(first.start, last.start), end: Math.max(first.end, last.end) };
}
