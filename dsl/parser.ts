/**
 * Source → syntax tree and diagnostics. Declarations begin in column 1: the tokens are cut there, and each declaration
 * is parsed by itself, so that a mistake in one costs nothing in the next.
 */
import type { IToken } from 'chevrotain';
import { type Diagnostic, diagnostic, help, replaceWith } from './diagnostic.ts';
import { didYouMean } from './did-you-mean.ts';
import type { MixedCondition } from './grammar/condition-grammar.ts';
import { CLAUSE_WORDING, CLAUSES_OF } from './grammar/clauses-of.ts';
import { DeclarationGrammar } from './grammar/declaration-grammar.ts';
import { lex, tokenSpan, unknownEscape } from './lexer.ts';
import { cover, FILE_BYTES_MAX, type SourceFile, type Span, sourceFile } from './source.ts';
import { syntaxError } from './syntax-error.ts';
import type { BrokenDeclaration, Declaration, SyntaxFile } from './syntax-tree.ts';
import {
  CLAUSE_WORDS,
  CloseBrace,
  CloseParen,
  DECLARATION_WORDS,
  Equals,
  OpenBrace,
  OpenParen,
  TextToken,
} from './tokens.ts';
import { type Slip, slipAt, slipDiagnostic } from './usual-slips.ts';

export const NESTING_DEPTH_MAX = 32;
const WORDS_SHOWN_MAX = 9;
/** In one declaration; each costs reading it once more. */
export const SLIPS_MAX = 16;

export type ParsedFile = { readonly file: SyntaxFile; readonly diagnostics: readonly Diagnostic[] };

type DeclarationWord = (typeof DECLARATION_WORDS)[number];
const declarationWords: ReadonlySet<string> = new Set(DECLARATION_WORDS);
const clauseWords: ReadonlySet<string> = new Set(CLAUSE_WORDS);

class Parser extends DeclarationGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** The mixed conditions are those that the declaration holds. */
  parseDeclaration(
    path: string,
    tokens: IToken[],
    kind: DeclarationWord | 'enum',
  ): { node: Declaration | undefined; mixed: readonly MixedCondition[] } {
    this.input = tokens;
    this.path = path;
    this.mixed = [];
    const node: Declaration | undefined = this[kind]();
    return { node, mixed: this.mixed };
  }

  parseClauses(path: string, tokens: IToken[]): void {
    this.input = tokens;
    this.path = path;
    this.clauses();
  }

  stoppedEarly(): boolean {
    return this.errors.some((error) => error.name === 'NotAllInputParsedException');
  }
}

const parser = new Parser();

export function parse(source: SourceFile): ParsedFile {
  if (source.text.length > FILE_BYTES_MAX / 4 && new TextEncoder().encode(source.text).length > FILE_BYTES_MAX) {
    const span = { file: source.path, start: 0, end: 1 };
    return {
      file: { path: source.path, declarations: [], broken: [{ keyword: 'policy', name: null, span }], comments: [] },
      diagnostics: [diagnostic('E0104', span, `this file is larger than ${FILE_BYTES_MAX} bytes`)],
    };
  }
  const lexed = lex(source);
  const diagnostics: Diagnostic[] = [...lexed.diagnostics];
  const declarations: Declaration[] = [];
  const broken: BrokenDeclaration[] = [];
  reportEscapes(source.path, lexed.tokens, diagnostics);
  const currencyAt = lexed.tokens.findIndex((token) => token.image === 'currency');
  const currency = currencyAt < 0 ? null : (lexed.tokens[currencyAt + 1]?.image ?? null);
  for (const tokens of cut(source, lexed.tokens, diagnostics)) {
    const parsed = parseTokens(source.path, tokens, currency, lexed.diagnostics, diagnostics);
    if ('keyword' in parsed) broken.push(parsed);
    else declarations.push(parsed);
  }
  const file = { path: source.path, declarations, broken, comments: lexed.comments };
  return {
    file: source.importedAs === undefined ? file : { ...file, importedAs: source.importedAs },
    diagnostics,
  };
}

/** One list of tokens for each declaration. */
function cut(source: SourceFile, tokens: readonly IToken[], diagnostics: Diagnostic[]): IToken[][] {
  const pieces: IToken[][] = [];
  let piece: IToken[] = [];
  for (const [index, token] of tokens.entries()) {
    const before = source.text[token.startOffset - 1];
    const inFirstColumn = before === undefined || before === '\n' || (token.startOffset === 1 && before === '\uFEFF');
    const begins = inFirstColumn && /^[A-Za-z_]/.test(token.image) && beginsDeclaration(tokens, index);
    if (inFirstColumn && !begins && clauseWords.has(token.image) && piece.length > 0) {
      diagnostics.push(clauseInFirstColumn(source.path, token));
    }
    const late = !inFirstColumn && piece.length > 0 && beginsLate(source, tokens, index, piece);
    if (late || (piece.length === 0 && !inFirstColumn)) diagnostics.push(notInFirstColumn(source.path, token));
    if ((begins || late) && piece.length > 0) {
      pieces.push(piece);
      piece = [];
    }
    piece.push(token);
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}

function beginsDeclaration(tokens: readonly IToken[], index: number): boolean {
  const image = tokens[index]?.image ?? '';
  return !clauseWords.has(image) || tokens[index + 1]?.tokenType === Equals;
}

/** An indented line that can only be the next declaration: `rule NAME`, outside every brace. */
function beginsLate(source: SourceFile, tokens: readonly IToken[], index: number, piece: readonly IToken[]): boolean {
  const token = tokens[index];
  if (
    token === undefined ||
    !declarationWords.has(token.image) ||
    !/\n[ \t]*$/.test(source.text.slice(Math.max(0, token.startOffset - 200), token.startOffset))
  ) {
    return false;
  }
  if (token.image === 'switch' || token.image === 'hours') return false;
  const next = tokens[index + 1];
  const named =
    next !== undefined &&
    (/^[A-Za-z_"]/.test(next.image) ||
      ((token.image === 'caller' || token.image === 'models') && next.tokenType === OpenBrace));
  return named && !clauseWords.has(next.image) && depthAfter(piece) === 0;
}

function depthAfter(tokens: readonly IToken[]): number {
  return tokens.reduce(
    (depth, token) => depth + (token.tokenType === OpenBrace ? 1 : token.tokenType === CloseBrace ? -1 : 0),
    0,
  );
}

/** `unread`: what the lexer could not read; within a declaration it explains all else that is wrong there. */
function parseTokens(
  path: string,
  tokens: IToken[],
  currency: string | null,
  unread: readonly Diagnostic[],
  diagnostics: Diagnostic[],
): Declaration | BrokenDeclaration {
  const first = tokens[0];
  const last = tokens.at(-1);
  if (first === undefined || last === undefined) throw new Error('a declaration has at least one token');
  const span = cover(tokenSpan(path, first), tokenSpan(path, last));
  const brokenOne: BrokenDeclaration = { keyword: first.image, name: tokens[1]?.image ?? null, span };
  const kind = kindOf(tokens);
  if (kind === null) {
    diagnostics.push(unknownDeclaration(path, first));
    return brokenOne;
  }
  const tooDeep = nestedTooDeep(tokens);
  if (tooDeep !== null) {
    diagnostics.push(
      diagnostic('E0105', tokenSpan(path, tooDeep), `more than ${NESTING_DEPTH_MAX} levels of braces and parentheses`),
    );
    return brokenOne;
  }
  const { node, mixed } = parser.parseDeclaration(path, tokens, kind);
  for (const each of mixed) diagnostics.push(mixedConnectives(path, each));
  if (parser.errors.length === 0 && node !== undefined) return withKnownClauses(node, diagnostics);
  // A made-up closing brace is the one mistake after which the declaration is still what was meant.
  const readable =
    node !== undefined &&
    parser.errors.every((error) => error.name === 'MismatchedTokenException' && error.resyncedTokens.length === 0) &&
    isWhole(node) &&
    !parser.stoppedEarly();
  const strange = unread.some(
    (each) => each.code === 'E0101' && each.span.start >= span.start && each.span.end <= span.end,
  );
  if (strange) return { ...brokenOne, keyword: kind, name: kind === 'enum' ? first.image : brokenOne.name };
  const errors = syntaxErrors(path, tokens, kind === 'enum' ? first.image : kind);
  const slips = withoutSlips(path, tokens, kind, currency, errors);
  diagnostics.push(...slips.found, ...slips.errors);
  return readable && slips.found.length === 0 && node !== undefined
    ? withKnownClauses(node, diagnostics)
    : {
        ...brokenOne,
        keyword: kind,
        name: kind === 'enum' ? first.image : brokenOne.name,
      };
}

/**
 * One for each place. Where parsing stopped before the end, the next clause word takes it up again, for its errors
 * only.
 */
function syntaxErrors(path: string, tokens: readonly IToken[], declaration: string): Diagnostic[] {
  const found = new Map<number, Diagnostic>();
  let rest = tokens;
  while (true) {
    for (const error of parser.errors) {
      const each = syntaxError(error, path, declaration);
      if (!found.has(each.span.start)) found.set(each.span.start, each);
    }
    const stopped = parser.errors.find((error) => error.name === 'NotAllInputParsedException');
    const at = stopped === undefined ? -1 : rest.indexOf(stopped.token);
    const next = at < 0 ? -1 : rest.findIndex((token, index) => index > at && clauseWords.has(token.image));
    if (next < 0) return [...found.values()];
    rest = rest.slice(next);
    parser.parseClauses(path, [...rest]);
  }
}

/**
 * A slip is one where reading goes better once it is mended: an error is gone, and none has come before its end. What
 * is left is read as mended.
 */
function withoutSlips(
  path: string,
  written: readonly IToken[],
  kind: DeclarationWord | 'enum',
  currency: string | null,
  first: readonly Diagnostic[],
): {
  readonly found: readonly Diagnostic[];
  readonly errors: readonly Diagnostic[];
} {
  if (kind === 'enum') return { found: [], errors: first };
  const found: Diagnostic[] = [];
  let errors = first;
  let tokens = written;
  let tried = 0;
  for (let index = 0; index < tokens.length && errors.length > 0 && tried < SLIPS_MAX; index++) {
    const slip = slipAt({ tokens, index, currency });
    if (slip === null) continue;
    tried += 1;
    const diagnostic = slipDiagnostic(path, tokens, slip);
    const mended = mend(tokens, slip);
    parser.parseDeclaration(path, [...mended], kind);
    const after = syntaxErrors(path, mended, kind);
    const gone = errors.some((error) => !after.some((each) => each.span.start === error.span.start));
    const come = after.some(
      (each) => each.span.start <= diagnostic.span.end && !errors.some((error) => each.span.start === error.span.start),
    );
    if (!gone || come) continue;
    found.push(diagnostic);
    errors = after;
    tokens = mended;
  }
  return { found, errors };
}

/** What is put in stands where the slip began. */
function mend(tokens: readonly IToken[], slip: Slip): readonly IToken[] {
  const result = [...tokens];
  for (const { from, to, start, text } of [...slip.edits].reverse()) {
    const added = lex(sourceFile('', text)).tokens.map((token) => ({ ...token, startOffset: start }));
    result.splice(from, to - from, ...added);
  }
  return result;
}

function kindOf(tokens: readonly IToken[]): DeclarationWord | 'enum' | null {
  const image = tokens[0]?.image ?? '';
  if (tokens[1]?.tokenType === Equals) return 'enum';
  return isDeclarationWord(image) ? image : null;
}

function isDeclarationWord(image: string): image is DeclarationWord {
  return declarationWords.has(image);
}

/** A clause that does not belong is reported and left out. */
function withKnownClauses(node: Declaration, diagnostics: Diagnostic[]): Declaration {
  if (!('clauses' in node)) return node;
  const allowed = CLAUSES_OF[node.kind];
  if (node.clauses.every((clause) => allowed.has(clause.kind))) return node;
  for (const clause of node.clauses) {
    if (allowed.has(clause.kind)) continue;
    const words = [...allowed].map((kind) => `\`${CLAUSE_WORDING[kind]}\``);
    const wording =
      words.length > WORDS_SHOWN_MAX
        ? [...words.slice(0, WORDS_SHOWN_MAX), `and ${words.length - WORDS_SHOWN_MAX} more`]
        : words;
    diagnostics.push(
      diagnostic('E0113', clause.span, `\`${CLAUSE_WORDING[clause.kind]}\` does not belong in a \`${node.kind}\``, {
        help: [help(`a \`${node.kind}\` takes ${wording.join(', ')}`)],
      }),
    );
  }
  return { ...node, clauses: node.clauses.filter((clause) => allowed.has(clause.kind)) } as Declaration;
}

function nestedTooDeep(tokens: readonly IToken[]): IToken | null {
  let depth = 0;
  for (const token of tokens) {
    if (token.tokenType === OpenBrace || token.tokenType === OpenParen) depth += 1;
    if (token.tokenType === CloseBrace || token.tokenType === CloseParen) depth -= 1;
    if (depth > NESTING_DEPTH_MAX) return token;
  }
  return null;
}

/** Recovery can leave holes: a part that was never read, or a name that was made up. */
function isWhole(value: unknown): boolean {
  if (value === undefined) return false;
  if (value === null || typeof value !== 'object') return true;
  if ('kind' in value && value.kind === 'name' && 'text' in value && value.text === '') return false;
  return Object.values(value).every(isWhole);
}

function mixedConnectives(path: string, { connectives, operands }: MixedCondition): Diagnostic {
  const first = connectives[0]?.image;
  const index = connectives.findIndex((each) => each.image !== first);
  const other = connectives[index];
  const whole: Span | null =
    operands[0] !== undefined && operands[index] !== undefined ? cover(operands[0].span, operands[index].span) : null;
  const span = other === undefined ? { file: path, start: 0, end: 1 } : tokenSpan(path, other);
  return diagnostic('E0112', span, '`and` and `or` are mixed without parentheses', {
    labels:
      connectives[0] === undefined
        ? []
        : [{ span: tokenSpan(path, connectives[0]), message: `here it is \`${first}\`` }],
    help:
      whole === null
        ? []
        : [
            {
              message: 'write parentheses around what belongs together',
              edits: [
                { span: { ...whole, end: whole.start }, text: '(' },
                { span: { ...whole, start: whole.end }, text: ')' },
              ],
            },
          ],
  });
}

function unknownDeclaration(path: string, token: IToken): Diagnostic {
  const span = tokenSpan(path, token);
  const meant = didYouMean(token.image, DECLARATION_WORDS);
  return diagnostic('E0106', span, `no declaration begins with \`${token.image}\``, {
    help: [
      meant === null
        ? help('declarations begin in column 1; the lines that belong to one are indented')
        : replaceWith(span, meant, `did you mean \`${meant}\`?`),
    ],
  });
}

function clauseInFirstColumn(path: string, token: IToken): Diagnostic {
  const span = tokenSpan(path, token);
  return diagnostic('E0107', span, `\`${token.image}\` belongs to the declaration above it and must be indented`, {
    help: [replaceWith({ ...span, end: span.start }, '  ', 'indent it by two spaces')],
  });
}

function notInFirstColumn(path: string, token: IToken): Diagnostic {
  return diagnostic(
    'E0108',
    tokenSpan(path, token),
    `the declaration that begins with \`${token.image}\` must start in column 1`,
    {
      help: [help('move it to the beginning of the line')],
    },
  );
}

function reportEscapes(path: string, tokens: readonly IToken[], diagnostics: Diagnostic[]): void {
  for (const token of tokens) {
    if (token.tokenType !== TextToken || !token.image.includes('\\')) continue;
    const unknown = unknownEscape(token.image);
    if (unknown === null) continue;
    const start = token.startOffset + unknown.at;
    diagnostics.push(
      diagnostic(
        'E0114',
        { file: path, start, end: start + unknown.text.length },
        `\`${unknown.text}\` is not an escape`,
        {
          help: [help('the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{1F600}`')],
        },
      ),
    );
  }
}
