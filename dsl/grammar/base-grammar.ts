/**
 * The leaves of the grammar: names, texts, numbers, quantities, paths, types. The parser is one class in layers; this
 * is the lowest.
 */
import { EmbeddedActionsParser, type IOrAlt, type IToken, type OrMethodOpts, type ParserMethod } from 'chevrotain';
import { syntaxErrorMessages } from '../syntax-error.ts';
import { tokenSpan, unquote } from '../lexer.ts';
import type { Span } from '../source.ts';
import type * as Tree from '../syntax-tree.ts';
import * as T from '../tokens.ts';
import { word } from '../tokens.ts';
import { UNITS } from '../units.ts';

export type Parsed<R> = ParserMethod<[], R>;

export class BaseGrammar extends EmbeddedActionsParser {
  /** Of the file being parsed; goes into every span. */
  protected path = '';

  /** The grammar is as it is: a test validates it, and a start need not wait for that. */
  constructor({ skipValidations } = { skipValidations: true }) {
    super([...T.TOKENS], {
      recoveryEnabled: true,
      maxLookahead: 3,
      errorMessageProvider: syntaxErrorMessages,
      skipValidations,
    });
  }

  /** `RULE`, typed by what it is assigned to. */
  protected define<R>(name: string, implementation: () => R): Parsed<R> {
    return this.RULE(name, implementation);
  }

  /** `OR`, typed by what its alternatives give; `index` tells the choices of one rule apart. */
  protected choose<R>(
    index: number,
    alternatives: IOrAlt<R>[] | (Omit<OrMethodOpts<R>, 'DEF'> & { DEF: IOrAlt<R>[] }),
  ): R {
    return this.or(index, alternatives as IOrAlt<R>[]);
  }

  /** Whether the next word is a unit, and not the next clause, step or entry. */
  protected unitFollows(): boolean {
    const next = this.LA(1);
    return (next.tokenType === T.Identifier || UNITS.has(next.image)) && this.LA(2).tokenType !== T.Colon;
  }

  /** The span from `start` to the token that was read last. */
  protected spanFrom(start: IToken): Span {
    const last = this.LA(0);
    return { file: this.path, start: start.startOffset, end: last.startOffset + last.image.length };
  }

  protected nameOf(token: IToken): Tree.Name {
    return { kind: 'name', text: token.image, span: tokenSpan(this.path, token) };
  }

  protected textOf(token: IToken): Tree.Text {
    return { kind: 'text', value: unquote(token.image), span: tokenSpan(this.path, token) };
  }

  protected numberOf(token: IToken): Tree.NumberNode {
    return { kind: 'number', text: token.image, span: tokenSpan(this.path, token) };
  }

  readonly name: Parsed<Tree.Name> = this.define('name', () => this.nameOf(this.CONSUME(T.NameToken)));
  /** A name where a colon or dot makes it plain that it is one: reserved words too. */
  readonly anyName: Parsed<Tree.Name> = this.define('anyName', () => this.nameOf(this.CONSUME(T.AnyWord)));
  readonly text: Parsed<Tree.Text> = this.define('text', () => this.textOf(this.CONSUME(T.TextToken)));
  readonly number: Parsed<Tree.NumberNode> = this.define('number', () => this.numberOf(this.CONSUME(T.NumberToken)));

  readonly names: Parsed<Tree.Name[]> = this.define('names', () => {
    const names: Tree.Name[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => names.push(this.SUBRULE(this.name)) });
    return names;
  });

  readonly quantity: Parsed<Tree.Quantity> = this.define('quantity', () => {
    const start = this.LA(1);
    const number = this.SUBRULE(this.number);
    const unit = this.SUBRULE(this.name);
    return { kind: 'quantity', number, unit, span: this.spanFrom(start) };
  });

  readonly date: Parsed<Tree.DateNode> = this.define('date', () => {
    const start = this.LA(1);
    let text = this.CONSUME(T.DateToken).image;
    this.OPTION(() => {
      text += ` ${this.CONSUME(T.TimeToken).image}`;
    });
    return { kind: 'date', text, span: this.spanFrom(start) };
  });

  readonly day: Parsed<Tree.DateNode> = this.define('day', () => {
    const token = this.CONSUME(T.DateToken);
    return { kind: 'date', text: token.image, span: this.spanFrom(token) };
  });

  readonly boolean: Parsed<Tree.BooleanNode> = this.define('boolean', () => {
    const start = this.LA(1);
    const value = this.choose(0, [
      { ALT: () => (this.CONSUME(word('true')), true) },
      { ALT: () => (this.CONSUME(word('false')), false) },
    ]);
    return { kind: 'boolean', value, span: this.spanFrom(start) };
  });

  readonly set: Parsed<Tree.SetNode> = this.define('set', () => {
    const start = this.LA(1);
    const elements: Tree.Literal[] = [];
    this.CONSUME(T.OpenBrace);
    this.MANY_SEP({ SEP: T.Comma, DEF: () => elements.push(this.SUBRULE(this.literal)) });
    this.CONSUME(T.CloseBrace);
    return { kind: 'set', elements, span: this.spanFrom(start) };
  });

  /** A number, with a unit unless the next word is the name of the next entry. */
  readonly amount: Parsed<Tree.NumberNode | Tree.Quantity | Tree.PriceNode> = this.define('amount', () => {
    const start = this.LA(1);
    const number = this.SUBRULE(this.number);
    let result: Tree.NumberNode | Tree.Quantity | Tree.PriceNode = number;
    this.OPTION({
      GATE: () => this.unitFollows(),
      DEF: () => {
        const unit = this.SUBRULE(this.name);
        const amount: Tree.Quantity = { kind: 'quantity', number, unit, span: this.spanFrom(start) };
        result = amount;
        this.OPTION1(() => {
          this.CONSUME(word('per'));
          const per = this.SUBRULE(this.quantity);
          result = { kind: 'price', amount, per, span: this.spanFrom(start) };
        });
      },
    });
    return result;
  });

  readonly literal: Parsed<Tree.Literal> = this.define('literal', () =>
    this.choose<Tree.Literal>(0, [
      { ALT: () => this.SUBRULE(this.text) },
      { ALT: () => this.SUBRULE(this.amount) },
      { ALT: () => this.SUBRULE(this.date) },
      { ALT: () => this.SUBRULE(this.boolean) },
      { ALT: () => this.SUBRULE(this.set) },
      { ALT: () => this.SUBRULE(this.name) },
    ]),
  );

  readonly dottedPath: Parsed<Tree.Path> = this.define('dottedPath', () => {
    const start = this.LA(1);
    const parts: Tree.Name[] = [this.SUBRULE(this.name)];
    this.MANY(() => {
      this.CONSUME(T.Dot);
      parts.push(this.SUBRULE(this.anyName));
    });
    return { kind: 'path', parts, span: this.spanFrom(start) };
  });

  readonly type: Parsed<Tree.TypeNode> = this.define('type', () => {
    const start = this.LA(1);
    return this.choose<Tree.TypeNode>(0, [
      {
        ALT: () => {
          this.CONSUME(word('set'));
          this.CONSUME(word('of'));
          const element = this.SUBRULE(this.type);
          return { kind: 'setType', element, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          const name = this.SUBRULE(this.name);
          let digits: Tree.NumberNode | null = null;
          this.OPTION({
            GATE: () => this.LA(2).tokenType !== T.Colon,
            DEF: () => {
              this.CONSUME(word('with'));
              digits = this.SUBRULE(this.number);
              this.CONSUME(word('digits'));
            },
          });
          return { kind: 'namedType', name, digits, span: this.spanFrom(start) };
        },
      },
    ]);
  });
}
