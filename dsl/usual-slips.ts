/**
 * What people write who know other languages, or English: `==` for `is`, `if` for `where`, and so on, each with what
 * was meant. A table over the tokens of one declaration that could not be read; the parser asks of each slip whether
 * reading goes better without it.
 */
import type { IToken } from 'chevrotain';
import { type Diagnostic, diagnostic, help } from './diagnostic.ts';
import { didYouMean } from './did-you-mean.ts';
import { tokenSpan } from './lexer.ts';
import {
  Bar,
  CLAUSE_WORDS,
  CloseBrace,
  CloseParen,
  Colon,
  Comma,
  Dot,
  Equals,
  Less,
  NumberToken,
  OpenBrace,
  OpenParen,
  RESERVED_WORDS,
  TextToken,
} from './tokens.ts';

/** Tokens `from` until `to` become `text`; `start` and `end` are its place in the source. */
export type SlipEdit = {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
};
export type Slip = {
  /** Tokens `from` until `to` are what is shown. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly help: string;
  /** With these the rest can be read. */
  readonly edits: readonly SlipEdit[];
  /** Whether the edits say what was meant, or only stand in for what is missing. */
  readonly certain: boolean;
};
type Place = {
  readonly tokens: readonly IToken[];
  readonly index: number;
  /** Of the policy in this file. */ readonly currency: string | null;
};

/** The slip that begins at a token, if any. */
export function slipAt(place: Place): Slip | null {
  for (const find of SLIPS) {
    const slip = find(place);
    if (slip !== null) return slip;
  }
  return null;
}

export function slipDiagnostic(path: string, tokens: readonly IToken[], slip: Slip): Diagnostic {
  const first = tokens[slip.from];
  const last = tokens[slip.to - 1];
  if (first === undefined || last === undefined) throw new Error('a slip has at least one token');
  const span = { file: path, start: first.startOffset, end: tokenSpan(path, last).end };
  const edits = slip.edits.map(({ start, end, text }) => ({ span: { file: path, start, end }, text }));
  return diagnostic('E0109', span, slip.message, {
    help: [slip.certain ? { message: slip.help, edits } : help(slip.help)],
  });
}

/** Words for words, before the value that is compared with. */
const COMPARISONS: readonly { readonly written: readonly string[]; readonly meant: string }[] = [
  { written: ['is', 'after'], meant: 'is above' },
  { written: ['is', 'before'], meant: 'is below' },
  ...['more', 'greater', 'higher', 'later'].map((word) => ({ written: ['is', word, 'than'], meant: 'is above' })),
  ...['less', 'fewer', 'lower', 'earlier'].map((word) => ({ written: ['is', word, 'than'], meant: 'is below' })),
  { written: ['is', 'over'], meant: 'is above' },
  { written: ['is', 'under'], meant: 'is below' },
  { written: ['is', 'equal', 'to'], meant: 'is' },
  { written: ['equals'], meant: 'is' },
  { written: ['<', '='], meant: 'is at most' },
  { written: ['<'], meant: 'is below' },
  { written: ['=', '='], meant: 'is' },
  { written: ['='], meant: 'is' },
];

/** One word that begins a clause for another. */
const CLAUSES: { readonly [written: string]: string } = {
  if: 'where',
  when: 'where',
  block: 'deny',
  forbid: 'deny',
  refuse: 'deny',
  reject: 'deny',
  prohibit: 'deny',
  permit: 'allow',
};
const EVENT_WORDS = new Set(['prompt', 'completion', 'tool', 'retrieval', 'ingest', 'exchange', 'egress']);
const TITLED = new Set(['rule', 'route', 'budget', 'rate', 'waiver', 'guarantee']);
const clauseWords: ReadonlySet<string> = new Set(CLAUSE_WORDS);

const SLIPS: readonly ((place: Place) => Slip | null)[] = [
  function titleWithoutName({ tokens, index }) {
    if (index !== 0 || !TITLED.has(image(tokens, 0)) || tokens[1]?.tokenType !== TextToken) return null;
    const name = nameFrom(image(tokens, 1));
    return slip(0, 2, `this \`${image(tokens, 0)}\` has a title and no name`, `give it a name, such as \`${name}\``, [
      before(tokens, 1, `${name} `),
    ]);
  },
  function comparison({ tokens, index }) {
    for (const { written, meant } of COMPARISONS) {
      const to = index + written.length;
      if (!written.every((word, offset) => image(tokens, index + offset) === word) || !beginsOperand(tokens[to]))
        continue;
      const sign = tokens[index]?.tokenType;
      if (sign === Equals && (image(tokens, index - 2) === 'tag' || index < 3)) return null;
      if (sign === Less && index < 3) return null;
      const shown = written.join(/^[a-z]/.test(written[0] ?? '') ? ' ' : '');
      return slip(index, to, `\`${shown}\` is written \`${meant}\` here`, `write \`${meant}\``, [
        spaced(tokens, index, to, meant),
      ]);
    }
    return null;
  },
  function doubleBar({ tokens, index }) {
    if (tokens[index]?.tokenType !== Bar || tokens[index + 1]?.tokenType !== Bar) return null;
    return slip(index, index + 2, '`||` is written `or` here', 'write `or`', [spaced(tokens, index, index + 2, 'or')]);
  },
  function alternatives({ tokens, index }) {
    const negated = image(tokens, index + 1) === 'not';
    const from = index + (negated ? 2 : 1);
    if (image(tokens, index) !== 'is' || tokens[from]?.tokenType !== TextToken) return null;
    let to = from + 1;
    while (image(tokens, to) === 'or' && tokens[to + 1]?.tokenType === TextToken) to += 2;
    if (to === from + 1) return null;
    const meant = `one of (${tokens
      .slice(from, to)
      .filter((token) => token.tokenType === TextToken)
      .map((token) => token.image)
      .join(', ')})`;
    return slip(from, to, 'several values stand in `one of (…)`', `write \`${meant}\``, [
      replace(tokens, from, to, meant),
    ]);
  },
  function inParentheses({ tokens, index }) {
    const negated = image(tokens, index + 1) === 'not';
    const at = index + (negated ? 2 : 1);
    if (image(tokens, index) !== 'is' || image(tokens, at) !== 'in' || tokens[at + 1]?.tokenType !== OpenParen)
      return null;
    return slip(at, at + 1, 'values in parentheses follow `one of`', 'write `one of`', [
      replace(tokens, at, at + 1, 'one of'),
    ]);
  },
  function doesNotContain({ tokens, index }) {
    const does = image(tokens, index) === 'does' && image(tokens, index + 1) === 'not';
    const plain =
      image(tokens, index) === 'not' &&
      index > 0 &&
      /^\w/.test(image(tokens, index - 1)) &&
      !RESERVED_WORDS.has(image(tokens, index - 1));
    const at = index + (does ? 2 : 1);
    if ((!does && !plain) || !['contain', 'contains'].includes(image(tokens, at))) return null;
    const left = pathStart(tokens, index);
    const end = relationEnd(tokens, at + 1);
    return slip(
      index,
      at + 1,
      'what is not contained is said with `not (… contains …)`',
      'write `not (… contains …)`',
      [before(tokens, left, 'not ('), replace(tokens, index, at + 1, 'contains'), after(tokens, end - 1, ')')],
    );
  },
  function bareNot({ tokens, index }) {
    const next = tokens[index + 1];
    if (
      image(tokens, index) !== 'not' ||
      next === undefined ||
      !/^[A-Za-z_]/.test(next.image) ||
      RESERVED_WORDS.has(next.image)
    )
      return null;
    if (['is', 'does'].includes(image(tokens, index - 1))) return null;
    const end = relationEnd(tokens, index + 1);
    return slip(
      index,
      index + 1,
      '`not` is followed by parentheses',
      'write `not (…)`, or `is not` in the comparison',
      [before(tokens, index + 1, '('), after(tokens, end - 1, ')')],
    );
  },
  function containsAllOf({ tokens, index }) {
    if (!['contains', 'all', 'of', '('].every((word, offset) => image(tokens, index + offset) === word)) return null;
    const close = tokens.findIndex((token, at) => at > index && token.tokenType === CloseParen);
    const left = pathStart(tokens, index);
    const path = tokens
      .slice(left, index)
      .map((token) => token.image)
      .join('');
    const members = tokens
      .slice(index + 4, close)
      .filter((token) => token.tokenType !== Comma)
      .map((token) => token.image);
    if (close < 0 || members.length !== Math.ceil((close - index - 4) / 2) || members.length < 2) return null;
    const meant = `(${members.map((member) => `${path} contains ${member}`).join(' and ')})`;
    return slip(index, index + 3, '`all of` is said with `and`', `write \`${meant}\``, [
      replace(tokens, left, close + 1, meant),
    ]);
  },
  function anotherClause({ tokens, index }) {
    const written = image(tokens, index);
    const meant = Object.hasOwn(CLAUSES, written) ? CLAUSES[written] : undefined;
    const next = tokens[index + 1];
    if (meant === undefined || index < 2 || tokens[index - 1]?.tokenType === Dot || next?.tokenType === Equals)
      return null;
    const fits =
      meant === 'where'
        ? next !== undefined && /^[\w(]/.test(next.image)
        : next === undefined ||
          next.tokenType === TextToken ||
          clauseWords.has(next.image) ||
          written === 'permit' ||
          CLAUSES[next.image] !== undefined;
    return fits
      ? slip(index, index + 1, `\`${written}\` is written \`${meant}\` here`, `write \`${meant}\``, [
          replace(tokens, index, index + 1, meant),
        ])
      : null;
  },
  function redactNothing({ tokens, index }) {
    if (image(tokens, index) !== 'redact' || image(tokens, index + 1) !== 'as' || image(tokens, index + 2) === 'as')
      return null;
    const mode = image(tokens, index + 2);
    return {
      ...slip(
        index,
        index + 2,
        'this `redact` does not say what is redacted',
        `name the detector, such as \`redact payment_card as ${/^[a-z]/.test(mode) ? mode : 'mask'}\``,
        [before(tokens, index + 1, 'payment_card ')],
      ),
      certain: false,
    };
  },
  function redactSeveral({ tokens, index }) {
    if (image(tokens, index) !== 'redact' || tokens[index + 2]?.tokenType !== Comma) return null;
    const as = tokens.findIndex((token, at) => at > index && token.image === 'as');
    const names = tokens
      .slice(index + 1, as)
      .filter((token) => token.tokenType !== Comma)
      .map((token) => token.image);
    if (as < 0 || names.some((name) => !/^\w+$/.test(name)) || names.length * 2 - 1 !== as - index - 1) return null;
    const meant = `any of (${names.join(', ')})`;
    return slip(
      index + 1,
      as,
      'several detectors stand in `any of (…)`, or have the name of a group',
      `write \`${meant}\``,
      [replace(tokens, index + 1, as, meant)],
    );
  },
  function twoEvents({ tokens, index }) {
    if (image(tokens, index) !== 'on' || !EVENT_WORDS.has(image(tokens, index + 1))) return null;
    const link = index + (image(tokens, index + 1) === 'tool' ? 3 : 2);
    if (![',', 'and', 'or'].includes(image(tokens, link)) || !EVENT_WORDS.has(image(tokens, link + 1))) return null;
    const end = tokens.findIndex((token, at) => at > link && clauseWords.has(token.image));
    const to = end < 0 ? tokens.length : end;
    return {
      ...slip(
        index + 1,
        to,
        'a rule is on one event',
        'write a rule for each of the events; a condition that both need can be a `term`',
        [replace(tokens, link, to, '')],
      ),
      certain: false,
    };
  },
  function withholdWhere({ tokens, index }) {
    if (
      !['withhold', 'chunk', 'where'].every((word, offset) => image(tokens, index + offset) === word) ||
      tokens[index + 3] === undefined
    )
      return null;
    const found = tokens.findIndex((token, at) => at > index + 2 && clauseWords.has(token.image));
    const end = found < 0 ? tokens.length : found;
    return slip(
      index + 2,
      index + 3,
      '`withhold chunk` says what must hold of the chunks that are not withheld, after `unless`',
      'write `unless not (…)`, or `unless` and the opposite',
      [
        { ...replace(tokens, index + 2, index + 3, 'unless not ('), end: tokens[index + 3]?.startOffset ?? 0 },
        after(tokens, end - 1, ')'),
      ],
    );
  },
  function limitWithoutUnit({ tokens, index, currency }) {
    if (
      image(tokens, index) !== 'limit' ||
      tokens[index + 1]?.tokenType !== NumberToken ||
      image(tokens, index + 2) !== 'per'
    )
      return null;
    const number = image(tokens, index + 1);
    const requests = tokens[0]?.image === 'rate';
    const unit = requests ? 'requests' : (currency ?? 'usd');
    const what = requests ? '`requests` or `tokens`' : 'the currency of the policy';
    return {
      ...slip(index + 1, index + 2, `\`${number}\` needs a unit: ${what}`, `such as \`${number} ${unit}\``, [
        after(tokens, index + 1, ` ${unit}`),
      ]),
      certain: requests || currency !== null,
    };
  },
  function limitToWithoutUnit({ tokens, index }) {
    if (image(tokens, index) !== 'limit' || !/^[a-z]/.test(image(tokens, index + 1))) return null;
    let at = index + 2;
    while (tokens[at]?.tokenType === Dot) at += 2;
    const next = tokens[at + 2];
    if (
      image(tokens, at) !== 'to' ||
      tokens[at + 1]?.tokenType !== NumberToken ||
      (next !== undefined && /^[a-z]/.test(next.image) && !RESERVED_WORDS.has(next.image))
    )
      return null;
    const number = image(tokens, at + 1);
    return slip(at + 1, at + 2, `\`${number}\` needs a unit: \`tokens\``, `write \`${number} tokens\``, [
      after(tokens, at + 1, ' tokens'),
    ]);
  },
  function requestedWithoutQuotes({ tokens, index }) {
    const name = image(tokens, index + 2);
    if (
      image(tokens, index) !== 'for' ||
      image(tokens, index + 1) !== 'requested' ||
      !/^[A-Za-z_]/.test(name) ||
      name === 'any' ||
      clauseWords.has(name)
    )
      return null;
    return slip(
      index + 2,
      index + 3,
      `the name that is requested stands in quotes: \`"${name}"\``,
      `write \`"${name}"\``,
      [replace(tokens, index + 2, index + 3, `"${name}"`)],
    );
  },
  function severalAfterIs({ tokens, index }) {
    const isContains = image(tokens, index) === 'contains';
    if (image(tokens, index) !== 'is' && !isContains) return null;
    const words = isContains ? ['any', 'of'] : ['one', 'of'];
    const at = index + (!isContains && image(tokens, index + 1) === 'not' ? 2 : 1);
    const hasWords = words.every((word, offset) => image(tokens, at + offset) === word);
    const from = hasWords ? at + 2 : at;
    if (!isValue(tokens[from])) return null;
    let to = from + 1;
    while ([',', 'or'].includes(image(tokens, to)) && isValue(tokens[to + 1])) to += 2;
    if (to === from + 1 || !tokens.slice(from, to).some((token) => token.tokenType === Comma)) return null;
    const values = tokens.slice(from, to).filter(isValue);
    const meant = `${words.join(' ')} (${values.map((token) => token.image).join(', ')})`;
    return slip(hasWords ? at : from, to, `several values stand in \`${words.join(' ')} (…)\``, `write \`${meant}\``, [
      replace(tokens, hasWords ? at : from, to, meant),
    ]);
  },
  function colonBeforeClauses({ tokens, index }) {
    const next = tokens[index + 1];
    if (tokens[index]?.tokenType !== Colon || !TITLED.has(image(tokens, 0)) || index < 2) return null;
    if (next !== undefined && !clauseWords.has(next.image)) return null;
    return slip(index, index + 1, 'clauses follow without a `:`', 'leave it out', [
      replace(tokens, index, index + 1, ''),
    ]);
  },
  function bracesAroundClauses({ tokens, index }) {
    const last = tokens.length - 1;
    if (tokens[index]?.tokenType !== OpenBrace || !TITLED.has(image(tokens, 0)) || index < 2 || index > 3) return null;
    if (tokens[last]?.tokenType !== CloseBrace) return null;
    return slip(
      index,
      index + 1,
      `a \`${image(tokens, 0)}\` has no braces: its clauses are indented`,
      'leave both out',
      [replace(tokens, index, index + 1, ''), replace(tokens, last, last + 1, '')],
    );
  },
  function misspeltWord({ tokens, index }) {
    const written = image(tokens, index);
    const previous = tokens[index - 1];
    if (index < 3 || previous === undefined || !/^[A-Za-z_]\w*$/.test(written) || RESERVED_WORDS.has(written))
      return null;
    if (!/^[\w")]/.test(previous.image) || previous.tokenType === Dot || !beginsOperand(tokens[index + 1])) return null;
    const lower = written.toLowerCase();
    const meant = WORDS_BETWEEN.includes(lower) ? lower : didYouMean(written, LONG_WORDS_BETWEEN);
    if (meant === null) return null;
    return slip(index, index + 1, `\`${written}\` is not a word of conditions`, `write \`${meant}\``, [
      replace(tokens, index, index + 1, meant),
    ]);
  },
  function everyPeriod({ tokens, index }) {
    if (!['a', 'an', 'each', 'every'].includes(image(tokens, index)) || !PERIODS.has(image(tokens, index + 1)))
      return null;
    if (!tokens.slice(0, index).some((token) => token.image === 'limit')) return null;
    return slip(index, index + 1, `\`${image(tokens, index)}\` is written \`per\` here`, 'write `per`', [
      replace(tokens, index, index + 1, 'per'),
    ]);
  },
  function separatedNumber({ tokens, index }) {
    const [first, comma, second] = tokens.slice(index, index + 3);
    if (first?.tokenType !== NumberToken || comma?.tokenType !== Comma || second?.tokenType !== NumberToken)
      return null;
    if (endOf(tokens, index) !== comma.startOffset || endOf(tokens, index + 1) !== second.startOffset) return null;
    const grouped = /^\d{1,3}$/.test(first.image) && /^\d{3}(\.\d+)?$/.test(second.image);
    // `4.000,50` and `4,50` can only mean one thing; `1.5,2` nothing.
    const whole = /^\d{1,3}(\.\d{3})*$/.test(first.image) ? first.image.replaceAll('.', '_') : null;
    if (!grouped && whole === null) return null;
    const meant = grouped ? `${first.image}_${second.image}` : `${whole}.${second.image}`;
    return slip(
      index,
      index + 3,
      'a number has no comma: `.` is before its decimals, `_` between its thousands',
      `write \`${meant}\``,
      [replace(tokens, index, index + 3, meant)],
    );
  },
  function dottedDate({ tokens, index }) {
    let to = index + 1;
    while (tokens[to] !== undefined && endOf(tokens, to - 1) === tokens[to]?.startOffset) to += 1;
    const written = tokens
      .slice(index, to)
      .map((token) => token.image)
      .join('');
    const match = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(written);
    if (match === null || tokens[index]?.tokenType !== NumberToken) return null;
    const [, day = '', month = '', year = ''] = match;
    const meant = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
    return slip(index, to, `\`${written}\` is not how a date is written here`, `write \`${meant}\``, [
      replace(tokens, index, to, meant),
    ]);
  },
];

const WORDS_BETWEEN: readonly string[] = ['is', 'and', 'or', 'contains', 'overlaps'];
/** A misspelt `is` is any word of two letters. */
const LONG_WORDS_BETWEEN: readonly string[] = ['contains', 'overlaps'];
const PERIODS = new Set(['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']);

/** A text, a number, or a name that stands by itself. */
function isValue(token: IToken | undefined): token is IToken {
  return (
    token !== undefined &&
    (token.tokenType === TextToken || (/^[A-Za-z_]\w*$/.test(token.image) && !RESERVED_WORDS.has(token.image)))
  );
}

function slip(from: number, to: number, message: string, advice: string, edits: readonly SlipEdit[]): Slip {
  return { from, to, message, help: advice, edits, certain: true };
}

function image(tokens: readonly IToken[], index: number): string {
  return tokens[index]?.image ?? '';
}

function replace(tokens: readonly IToken[], from: number, to: number, text: string): SlipEdit {
  return { from, to, start: tokens[from]?.startOffset ?? 0, end: endOf(tokens, to - 1), text };
}

/** A word for a sign, which may have stood close to its neighbours. */
function spaced(tokens: readonly IToken[], from: number, to: number, word: string): SlipEdit {
  const edit = replace(tokens, from, to, word);
  const left = from > 0 && endOf(tokens, from - 1) === edit.start ? ' ' : '';
  const right = tokens[to]?.startOffset === edit.end ? ' ' : '';
  return { ...edit, text: `${left}${word}${right}` };
}

function before(tokens: readonly IToken[], index: number, text: string): SlipEdit {
  const start = tokens[index]?.startOffset ?? 0;
  return { from: index, to: index, start, end: start, text };
}

function after(tokens: readonly IToken[], index: number, text: string): SlipEdit {
  const end = endOf(tokens, index);
  return { from: index + 1, to: index + 1, start: end, end, text };
}

function endOf(tokens: readonly IToken[], index: number): number {
  const token = tokens[index];
  return token === undefined ? 0 : token.startOffset + token.image.length;
}

function beginsOperand(token: IToken | undefined): boolean {
  return (
    token !== undefined &&
    /^[\w"(]/.test(token.image) &&
    (!RESERVED_WORDS.has(token.image) || token.image === 'true' || token.image === 'false')
  );
}

/** Of the path that ends before `index`. */
function pathStart(tokens: readonly IToken[], index: number): number {
  let start = index - 1;
  while (start >= 2 && tokens[start - 1]?.tokenType === Dot) start -= 2;
  return Math.max(0, start);
}

/** Where the relation ends that begins at or before `index`: at a connective, a clause or the parenthesis around it. */
function relationEnd(tokens: readonly IToken[], index: number): number {
  let depth = 0;
  for (let at = index; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.tokenType === OpenParen) depth += 1;
    if (token.tokenType === CloseParen && depth === 0) return at;
    if (token.tokenType === CloseParen) depth -= 1;
    if (token.tokenType === CloseBrace) return at;
    if (depth === 0 && at > index && (token.image === 'and' || token.image === 'or' || clauseWords.has(token.image)))
      return at;
  }
  return tokens.length;
}

const NAME_WORDS_MAX = 3;

/** `"Cards are masked at home"` → `cards_are_masked`. */
function nameFrom(quoted: string): string {
  const words = quoted.toLowerCase().match(/[a-z][a-z0-9]*/g) ?? [];
  const name = words.slice(0, NAME_WORDS_MAX).join('_');
  return name === '' || RESERVED_WORDS.has(name) ? 'my_rule' : name;
}
