/** Source text → tokens, comments and the mistakes that can be seen in single characters. */
import { createTokenInstance, type IToken, Lexer } from 'chevrotain';
import { type Diagnostic, diagnostic, help, replaceWith } from './diagnostic.ts';
import type { SourceFile, Span } from './source.ts';
import { Comment as CommentToken, TextToken, TOKENS, UnclosedPattern, UnclosedText } from './tokens.ts';
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
  const texts: IToken[] = [];
  let told = 0;
  for (const error of result.errors) {
    // What belongs to the slip before it is no second mistake.
    if (error.offset < told) continue;
    const span = { file: source.path, start: error.offset, end: error.offset + error.length };
    const text = quotedOtherwise(source.text, span);
    if (text !== null) texts.push(textToken(source.text, text.span));
    const whole = text ?? slashedDate(source.text, span);
    if (whole !== null) {
      diagnostics.push(whole);
      told = whole.span.end;
      continue;
    }
    diagnostics.push(
      foreignSign(source.text, span) ?? strangeCharacters(source.text.slice(span.start, span.end), span),
    );
  }
  const tokens = withTexts(result.tokens, texts);
  for (const token of tokens) {
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
  return { tokens, comments, diagnostics };
}

/** What stands between other quotes is read as the text that it was meant to be, so that it is one mistake. */
function textToken(text: string, { start, end }: Span): IToken {
  const image = `"${text.slice(start + 1, end - 1)}"`;
  return createTokenInstance(TextToken, image, start, end - 1, Number.NaN, Number.NaN, Number.NaN, Number.NaN);
}

function withTexts(tokens: readonly IToken[], texts: readonly IToken[]): readonly IToken[] {
  if (texts.length === 0) return tokens;
  const isInside = ({ startOffset }: IToken): boolean =>
    texts.some((text) => startOffset >= text.startOffset && startOffset < text.startOffset + text.image.length);
  return [...tokens.filter((token) => !isInside(token)), ...texts].sort((a, b) => a.startOffset - b.startOffset);
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

/** A text between typographic or single quotes, from its first to its last. */
function quotedOtherwise(text: string, span: Span): Diagnostic | null {
  const rest = text.slice(span.start).split(/[\r\n]/, 1)[0] ?? '';
  const match = /^([“”„«»‟])([^“”„«»‟"]*)[“”„«»‟]/u.exec(rest) ?? /^(['‘‚])([^'"]*?)['’‘](?![\p{L}\d])/u.exec(rest);
  if (match === null) return null;
  const [image, opening = '', inner = ''] = match;
  const place = { ...span, end: span.start + image.length };
  const kind = /['‘‚]/u.test(opening) ? 'single quotes' : 'typographic quotes';
  return diagnostic('E0101', place, `this text stands in ${kind}`, {
    help: [replaceWith(place, `"${inner}"`, 'use the plain double quote `"`')],
  });
}

/** `5/1/2026`: which of the two is the month, only the writer knows. */
function slashedDate(text: string, span: Span): Diagnostic | null {
  if (text[span.start] !== '/') return null;
  const line = text.lastIndexOf('\n', span.start) + 1;
  const before = /\d{1,4}$/.exec(text.slice(line, span.start))?.[0];
  const after = /^\/\d{1,2}\/\d{1,4}/.exec(text.slice(span.start))?.[0];
  if (before === undefined || after === undefined) return null;
  const place = { ...span, start: span.start - before.length, end: span.start + after.length };
  return diagnostic('E0101', place, `\`${before}${after}\` is not how a date is written here`, {
    help: [help('write the year, the month and the day, as in `2026-12-31`')],
  });
}

/** One character for one, or a word of ours for it. */
const SINGLE_SIGNS: { readonly [sign: string]: string } = {
  '!': 'write `not (…)`, or `is not` in a comparison',
  '[': 'lists stand in parentheses: `one of (a, b)`',
  ']': 'lists stand in parentheses: `one of (a, b)`',
  $: 'a currency stands after the amount, in three letters: `40 usd`',
  '€': 'a currency stands after the amount, in three letters: `40 eur`',
  '£': 'a currency stands after the amount, in three letters: `40 gbp`',
  "'": 'texts stand in double quotes: `"…"`',
};

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
    help: Object.hasOwn(SINGLE_SIGNS, text)
      ? [help(SINGLE_SIGNS[text] ?? '')]
      : /\p{L}/u.test(text)
        ? [help('names are made of a–z, A–Z, 0–9 and `_`; put other letters in quotes')]
        : [],
  });
}
