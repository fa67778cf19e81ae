/**
 * The words and signs of the language. Clause words and condition words are reserved: they end whatever stands before
 * them, which is what lets the parser find its way after a mistake. All other words are soft: they may also be names.
 */
import { createToken, Lexer, type TokenType } from 'chevrotain';

/** The first word of each declaration (an enum has none). */
export const DECLARATION_WORDS = [
  'policy',
  'import',
  'caller',
  'models',
  'model',
  'store',
  'tool',
  'list',
  'recipient',
  'reviewers',
  'hours',
  'convert',
  'detector',
  'detectors',
  'term',
  'rule',
  'classify',
  'route',
  'budget',
  'rate',
  'waiver',
  'switch',
  'delegate',
  'assume',
  'guarantee',
  'test',
] as const;

/** Words that begin a clause. */
export const CLAUSE_WORDS = [
  'on',
  'where',
  'unless',
  'allow',
  'deny',
  'use',
  'require',
  'buffer',
  'withhold',
  'keep',
  'redact',
  'drop',
  'set',
  'record',
  'hold',
  'limit',
  'tag',
  'notify',
  'sample',
  'cites',
  'owner',
  'effective',
  'until',
  'waivable',
  'prefer',
  'for',
  'at',
  'else',
  'never',
  'expect',
] as const;

/** Words inside conditions that could not be told from a name. */
export const CONDITION_WORDS = [
  'and',
  'or',
  'not',
  'is',
  'in',
  'has',
  'some',
  'every',
  'contains',
  'overlaps',
  'known',
  'unredacted',
  'one',
  'above',
  'below',
  'subset',
  'approved',
  'switch',
  'true',
  'false',
] as const;

const SOFT_WORDS = [
  'from',
  'claim',
  'metadata',
  'argument',
  'split',
  'by',
  'optional',
  'of',
  'with',
  'digits',
  'currency',
  'time',
  'zone',
  'default',
  'failure',
  'base',
  'classification',
  'prompt',
  'completion',
  'call',
  'retrieval',
  'ingest',
  'exchange',
  'egress',
  'to',
  'into',
  'only',
  'chunk',
  'say',
  'newest',
  'each',
  'including',
  'restored',
  'as',
  'placeholder',
  'mask',
  'keeping',
  'last',
  'remove',
  'year',
  'pseudonym',
  'review',
  'up',
  'percent',
  'requested',
  'any',
  'price',
  'least',
  'most',
  'max',
  'age',
  'entries',
  'matches',
  'near',
  'within',
  'characters',
  'before',
  'after',
  'ignoring',
  'case',
  'examples',
  'group',
  'except',
  'sent',
  'spent',
  'now',
  'document',
  'off',
  'withheld',
  'ends',
  'may',
  'per',
  'highest',
  'receipts',
] as const;

export type Word =
  | (typeof DECLARATION_WORDS)[number]
  | (typeof CLAUSE_WORDS)[number]
  | (typeof CONDITION_WORDS)[number]
  | (typeof SOFT_WORDS)[number];

export const RESERVED_WORDS: ReadonlySet<string> = new Set<string>([...CLAUSE_WORDS, ...CONDITION_WORDS]);

/** Any word at all: what may follow a dot, or stand before a colon. */
export const AnyWord = createToken({ name: 'AnyWord', pattern: Lexer.NA, label: 'a name' });
/** A word that may be a name: not reserved. */
export const NameToken = createToken({ name: 'Name', pattern: Lexer.NA, label: 'a name', categories: [AnyWord] });
export const Identifier = createToken({
  name: 'Identifier',
  pattern: /[A-Za-z_][A-Za-z0-9_]*/,
  label: 'a name',
  categories: [NameToken],
});

export const TextToken = createToken({ name: 'Text', pattern: /"(?:[^"\\\n\r]|\\.)*"/, label: 'a text in quotes' });
/** The quote is missing; what is read up to the end of the line stands for the text. */
export const UnclosedText = createToken({
  name: 'UnclosedText',
  pattern: /"(?:[^"\\\n\r]|\\.)*\\?/,
  categories: [TextToken],
  label: 'a text in quotes',
});
export const PatternToken = createToken({ name: 'Pattern', pattern: /`[^`\n\r]*`/, label: 'a pattern in backticks' });
export const UnclosedPattern = createToken({
  name: 'UnclosedPattern',
  pattern: /`[^`\n\r]*/,
  categories: [PatternToken],
  label: 'a pattern in backticks',
});
export const DateToken = createToken({
  name: 'Date',
  pattern: /\d{4}-\d{2}-\d{2}(?!\d)/,
  label: 'a date (2026-12-31)',
});
export const TimeToken = createToken({
  name: 'TimeOfDay',
  pattern: /\d{2}:\d{2}(?!\d)/,
  label: 'a time of day (09:00)',
});
export const NumberToken = createToken({
  name: 'Number',
  pattern: /-?\d[\d_]*(?:\.\d[\d_]*)?(?:[kM](?![A-Za-z0-9_]))?/,
  label: 'a number',
});
export const Comment = createToken({ name: 'Comment', pattern: /\/\/[^\n\r]*/, group: 'comments' });
const Space = createToken({ name: 'Space', pattern: /[ \t\r\n\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true });

const sign = (name: string, text: string): TokenType => createToken({ name, pattern: text, label: `\`${text}\`` });
export const OpenBrace = sign('OpenBrace', '{');
export const CloseBrace = sign('CloseBrace', '}');
export const OpenParen = sign('OpenParen', '(');
export const CloseParen = sign('CloseParen', ')');
export const Colon = sign('Colon', ':');
export const Comma = sign('Comma', ',');
export const Equals = sign('Equals', '=');
export const Bar = sign('Bar', '|');
export const Less = sign('Less', '<');
export const Dot = sign('Dot', '.');

/** Longest first: the lexer takes the first that fits, and `in` begins `into`. */
const words = [...new Set<Word>([...DECLARATION_WORDS, ...CLAUSE_WORDS, ...CONDITION_WORDS, ...SOFT_WORDS])].sort(
  (a, b) => b.length - a.length,
);
const wordTokens = new Map<Word, TokenType>(
  words.map((word) => [
    word,
    createToken({
      name: `word_${word}`,
      pattern: word,
      label: `\`${word}\``,
      longer_alt: Identifier,
      categories: RESERVED_WORDS.has(word) ? [AnyWord] : [NameToken],
    }),
  ]),
);

/** The token of a word of the language. */
export function word(text: Word): TokenType {
  const token = wordTokens.get(text);
  if (token === undefined) throw new Error(`no such word: ${text}`);
  return token;
}

/** In the order in which the lexer tries them. */
export const TOKENS: readonly TokenType[] = [
  Space,
  Comment,
  ...wordTokens.values(),
  Identifier,
  TextToken,
  UnclosedText,
  PatternToken,
  UnclosedPattern,
  DateToken,
  TimeToken,
  NumberToken,
  OpenBrace,
  CloseBrace,
  OpenParen,
  CloseParen,
  Colon,
  Comma,
  Equals,
  Bar,
  Less,
  Dot,
  NameToken,
  AnyWord,
];
