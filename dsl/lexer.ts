/** Source text → tokens, comments and the mistakes that can be seen in single characters. */
import { type IToken, Lexer } from 'chevrotain';
import { type Diagnostic, diagnostic, help, replaceWith } from './diagnostic.ts';
import type { SourceFile, Span } from './source.ts';
import { Comment as CommentToken, TOKENS, UnclosedPattern, UnclosedText } from './tokens.ts';
import type { Comment } from './syntax-tree.ts';

export const TEXT_BYTES_MAX = 4 * 1024;

export type Lexed = {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
};

const lexer = new Lexer([...TOKENS], { positionTracking: 'onlyOffset', ensureOptimizations: false });

export function lex(source: SourceFile): Lexed {
  const result = lexer.tokenize(source.text);
  const diagnostics: Diagnostic[] = [];
  for (const error of result.errors) {
    const span = { file: source.path, start: error.offset, end: error.offset + error.length };
    diagnostics.push(
      foreignSign(source.text, span) ?? strangeCharacters(source.text.slice(span.start, span.end), span),
    );
  }
  for (const token of result.tokens) {
    const kind = token.tokenType;
    if (kind !== UnclosedText && kind !== UnclosedPattern && token.image.length <= TEXT_BYTES_MAX / 3) continue;
    const span = tokenSpan(source.path, token);
    if (kind === UnclosedText) {
      diagnostics.push(
        diagnostic('E0102', span, 'this text has no closing quote', {
          help: [replaceWith({ ...span, start: span.end }, '"', 'close it with `"` on the same line')],
        }),
      );
    } else if (kind === UnclosedPattern) {
      diagnostics.push(
        diagnostic('E0102', span, 'this pattern has no closing backtick', {
          help: [replaceWith({ ...span, start: span.end }, '`', 'close it with a backtick on the same line')],
        }),
      );
    } else if (new TextEncoder().encode(token.image).length - 2 > TEXT_BYTES_MAX) {
      diagnostics.push(diagnostic('E0103', span, `this text is longer than ${TEXT_BYTES_MAX} bytes`));
    }
  }
  const comments = (result.groups[CommentToken.GROUP ?? 'comments'] ?? []).map((token) => ({
    text: token.image.trimEnd(),
    span: tokenSpan(source.path, token),
  }));
  return { tokens: result.tokens, comments, diagnostics };
}

export function tokenSpan(file: string, token: IToken): Span {
  return { file, start: token.startOffset, end: token.startOffset + token.image.length };
}

/** Inverse of `quote`. An unknown escape stands for its character; the parser reports it. */
export function unquote(image: string): string {
  const inner = image.slice(1, image.length > 1 && image.endsWith('"') ? -1 : undefined);
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(u\{([0-9a-fA-F]{1,6})\}|.|$)/gs, (_, escape: string, hex: string | undefined) => {
    if (hex !== undefined)
      return isScalar(Number.parseInt(hex, 16)) ? String.fromCodePoint(Number.parseInt(hex, 16)) : '';
    return escape === 'n' ? '\n' : escape === 't' ? '\t' : escape;
  });
}

/** A text as it is written between quotes. */
export function quote(value: string): string {
  const escaped = value.replace(/["\\\n\t\u0000-\u001f\u007f]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    return character === '"' || character === '\\' ? `\\${character}` : `\\u{${character.charCodeAt(0).toString(16)}}`;
  });
  return `"${escaped}"`;
}

/** The first escape that the language does not have, by its place in the image; null if all are known. */
export function unknownEscape(image: string): { readonly at: number; readonly text: string } | null {
  const escapes = /\\(u\{[0-9a-fA-F]{1,6}\}|.)/gs;
  for (const match of image.matchAll(escapes)) {
    const escape = match[1] ?? '';
    const known =
      escape.length > 1 ? isScalar(Number.parseInt(escape.slice(2, -1), 16)) : ['"', '\\', 'n', 't'].includes(escape);
    if (!known) return { at: match.index, text: match[0] };
  }
  return null;
}

function isScalar(codePoint: number): boolean {
  return codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}

/** Signs of other languages that are words here; the longer first. */
const FOREIGN_SIGNS: readonly (readonly [sign: string, words: string])[] = [
  ['>=', 'is at least'],
  ['>', 'is above'],
  ['!=', 'is not'],
  ['&&', 'and'],
  ['&', 'and'],
  ['≥', 'is at least'],
  ['≤', 'is at most'],
  ['≠', 'is not'],
  ['%', 'percent'],
];

function foreignSign(text: string, span: Span): Diagnostic | null {
  const found = FOREIGN_SIGNS.find(
    ([sign]) => text.startsWith(sign, span.start) && span.end - span.start <= sign.length,
  );
  if (found === undefined) return null;
  const [sign, words] = found;
  const place = { ...span, end: span.start + sign.length };
  const left = /\s/.test(text[place.start - 1] ?? ' ') ? '' : ' ';
  const right = /\s/.test(text[place.end] ?? ' ') ? '' : ' ';
  return diagnostic('E0101', place, `\`${sign}\` is written \`${words}\` here`, {
    help: [replaceWith(place, `${left}${words}${right}`, `write \`${words}\``)],
  });
}

function strangeCharacters(text: string, span: Span): Diagnostic {
  if (/^[“”„«»‟]+$/u.test(text)) {
    return diagnostic('E0101', span, `\`${text}\` is a typographic quote`, {
      help: [replaceWith(span, '"', 'use the plain quote `"`')],
    });
  }
  if (/^[-–—]+$/u.test(text)) {
    return diagnostic('E0101', span, `\`${text}\` cannot stand here`, {
      help: [help('names are joined with `_`, as in `gpt_4o`')],
    });
  }
  if (/^[;]+$/.test(text)) {
    return diagnostic('E0101', span, `\`${text}\` is not used in this language`, {
      help: [replaceWith(span, '', 'leave it out')],
    });
  }
  const shown = [...text].slice(0, 20).join('');
  return diagnostic('E0101', span, `\`${shown}\` cannot be read`, {
    help: /\p{L}/u.test(text) ? [help('names are made of a–z, A–Z, 0–9 and `_`; put other letters in quotes')] : [],
  });
}
