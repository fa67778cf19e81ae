/**
 * What the parser found wrong, in words a policy officer understands. Chevrotain's exceptions come in; diagnostics go
 * out.
 */
import {
  EOF,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  type TokenType,
} from 'chevrotain';
import { type Diagnostic, diagnostic, type Help, help, replaceWith } from './diagnostic.ts';
import { didYouMean } from './did-you-mean.ts';
import { tokenSpan } from './lexer.ts';
import { AnyWord, CLAUSE_WORDS, CloseBrace, CloseParen, NameToken, RESERVED_WORDS } from './tokens.ts';

/**
 * The message of an exception carries the labels of what could have stood there, so that one place below words them
 * all.
 */
const SEPARATOR = '\u0000';
const EXPECTED_SHOWN_MAX = 6;

export const syntaxErrorMessages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => labelOf(expected),
  buildNotAllInputParsedMessage: () => labelOf(EOF),
  buildNoViableAltMessage: ({ expectedPathsPerAlt }) =>
    labels(expectedPathsPerAlt.flatMap((paths) => paths.map((path) => path[0]))),
  buildEarlyExitMessage: ({ expectedIterationPaths }) => labels(expectedIterationPaths.map((path) => path[0])),
};

/** Phrases for rules whose list of first tokens would say less. */
const PHRASES: { readonly [rule: string]: string } = {
  unary: 'a condition, such as `caller.region is eu`',
  condition: 'a condition, such as `caller.region is eu`',
  operand: 'a value or an attribute',
  literal: 'a value',
  isRelation: 'a value or `known`, `one of`, `at least`, `at most`, `above`, `below`, `in`, `subset of`',
  event: 'an event: `prompt`, `completion`, `tool call`, `retrieval`, `ingest`, `exchange` or `egress`',
  redactMode: '`placeholder`, `mask`, `remove`, `year` or `pseudonym`',
  policyEntry: 'an entry of `policy`',
  detectorMatch: 'a pattern in backticks, or `list`',
};

/** `previous` is the token before the one in question; the end of the input is shown just after it. */
export function syntaxError(error: IRecognitionException, file: string, declaration: string): Diagnostic {
  const found = error.token;
  const atEnd = found.tokenType === EOF || Number.isNaN(found.startOffset);
  const last = lastToken(error);
  const span =
    atEnd && last !== null
      ? {
          file,
          start: tokenSpan(file, last).end,
          end: tokenSpan(file, last).end + 1,
        }
      : tokenSpan(file, found);
  const expected = error.message.split(SEPARATOR);
  const rule = error.context.ruleStack.at(-1) ?? '';
  const foundText = atEnd ? `the end of this \`${declaration}\`` : `\`${found.image}\``;
  if (expected.includes(labelOf(CloseBrace)) && expected.length === 1 && atEnd) {
    return diagnostic('E0110', span, `this \`${declaration}\` has no closing \`}\``, {
      help: [replaceWith({ ...span, end: span.start }, '\n}', 'close it with `}`')],
    });
  }
  if (expected.includes(labelOf(CloseParen)) && expected.length === 1) {
    return diagnostic('E0110', span, `a \`)\` is missing before ${foundText}`, {
      help: [replaceWith({ ...span, end: span.start }, ')', 'close it with `)`')],
    });
  }
  if (expected.includes(labelOf(NameToken)) && RESERVED_WORDS.has(found.image) && expected.length === 1) {
    return diagnostic('E0111', span, `\`${found.image}\` is a word of the language and cannot be a name`, {
      help: [replaceWith(span, `${found.image}_`, `choose another name, such as \`${found.image}_\``)],
    });
  }
  const phrase = expected.includes(labelOf(EOF))
    ? `a clause of \`${declaration}\` or its end`
    : (PHRASES[rule] ?? list(expected));
  return diagnostic('E0109', span, `expected ${phrase}, found ${foundText}`, { help: [slip(found, expected, span)] });
}

function slip(found: IToken, expected: readonly string[], span: Diagnostic['span']): Help | null {
  const words = expected.includes(labelOf(EOF))
    ? CLAUSE_WORDS
    : expected.filter((label) => /^`[a-z]+`$/.test(label)).map((label) => label.slice(1, -1));
  const meant = didYouMean(found.image, words);
  if (meant !== null) return replaceWith(span, meant, `did you mean \`${meant}\`?`);
  if (found.image === '==' || found.image === '=') return help('comparisons are written with `is`');
  return null;
}

function lastToken(error: IRecognitionException): IToken | null {
  const previous = 'previousToken' in error ? (error.previousToken as IToken | undefined) : undefined;
  return previous === undefined || Number.isNaN(previous.startOffset) ? null : previous;
}

function labels(tokens: readonly (TokenType | undefined)[]): string {
  return [...new Set(tokens.filter((token) => token !== undefined).map(labelOf))].join(SEPARATOR);
}

function labelOf(token: TokenType): string {
  if (token === EOF) return 'the end';
  return token === AnyWord ? 'a name' : (token.LABEL ?? token.name);
}

function list(expected: readonly string[]): string {
  if (expected.length > EXPECTED_SHOWN_MAX) return `${expected.slice(0, EXPECTED_SHOWN_MAX).join(', ')} …`;
  return expected.length < 2
    ? (expected[0] ?? 'something else')
    : `${expected.slice(0, -1).join(', ')} or ${expected.at(-1)}`;
}
