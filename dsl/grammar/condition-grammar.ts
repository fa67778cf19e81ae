/** Conditions. `and` and `or` mixed without parentheses are read left to right and noted; the parser reports them. */
import type { IToken } from 'chevrotain';
import type * as Tree from '../syntax-tree.ts';
import * as T from '../tokens.ts';
import { word } from '../tokens.ts';
import { BaseGrammar, type Parsed } from './base-grammar.ts';

/** `connectives[i]` stands before operand i + 1. */
export type MixedCondition = {
  readonly connectives: readonly IToken[];
  readonly operands: readonly Tree.ConditionNode[];
};

export class ConditionGrammar extends BaseGrammar {
  /** Filled while one declaration is parsed. */
  protected mixed: MixedCondition[] = [];

  readonly condition: Parsed<Tree.ConditionNode> = this.define('condition', () => {
    const start = this.LA(1);
    const first = this.SUBRULE(this.unary);
    const operands: Tree.ConditionNode[] = [first];
    const connectives: IToken[] = [];
    this.MANY(() => {
      connectives.push(
        this.choose(0, [{ ALT: () => this.CONSUME(word('and')) }, { ALT: () => this.CONSUME(word('or')) }]),
      );
      operands.push(this.SUBRULE1(this.unary));
    });
    const connective = connectives[0];
    if (connective === undefined) return first;
    if (connectives.some((each) => each.image !== connective.image)) this.mixed.push({ connectives, operands });
    return { kind: connective.image === 'or' ? 'or' : 'and', operands, span: this.spanFrom(start) };
  });

  readonly unary: Parsed<Tree.ConditionNode> = this.define('unary', () => {
    const start = this.LA(1);
    return this.choose<Tree.ConditionNode>(0, [
      {
        ALT: () => {
          this.CONSUME(word('not'));
          this.CONSUME(T.OpenParen);
          const operand = this.SUBRULE(this.condition);
          this.CONSUME(T.CloseParen);
          return { kind: 'not', operand, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME1(T.OpenParen);
          const inner = this.SUBRULE1(this.condition);
          this.CONSUME1(T.CloseParen);
          return { kind: 'group', inner, span: this.spanFrom(start) };
        },
      },
      { ALT: () => this.SUBRULE(this.quantified) },
      {
        ALT: () => {
          this.CONSUME(word('switch'));
          const name = this.SUBRULE(this.name);
          return { kind: 'switchOn', name, span: this.spanFrom(start) };
        },
      },
      { ALT: () => this.SUBRULE(this.relationCondition) },
    ]);
  });

  readonly quantified: Parsed<Tree.ConditionNode> = this.define('quantified', () => {
    const start = this.LA(1);
    const quantifier = this.choose<'some' | 'every'>(0, [
      { ALT: () => (this.CONSUME(word('some')), 'some') },
      { ALT: () => (this.CONSUME(word('every')), 'every') },
    ]);
    const variable = this.SUBRULE(this.name);
    this.CONSUME(word('in'));
    const collection = this.SUBRULE(this.dottedPath);
    this.CONSUME(word('has'));
    this.CONSUME(T.OpenParen);
    const body = this.SUBRULE(this.condition);
    this.CONSUME(T.CloseParen);
    return { kind: 'quantified', quantifier, variable, collection, body, span: this.spanFrom(start) };
  });

  readonly relationCondition: Parsed<Tree.ConditionNode> = this.define('relationCondition', () => {
    const start = this.LA(1);
    const left = this.SUBRULE(this.dottedPath);
    let negated = false;
    const relation = this.choose<Tree.Relation>(0, [
      {
        ALT: () => {
          this.CONSUME(word('is'));
          this.OPTION(() => {
            this.CONSUME(word('not'));
            negated = true;
          });
          return this.SUBRULE(this.isRelation);
        },
      },
      { ALT: () => this.SUBRULE(this.containsRelation) },
      {
        ALT: () => {
          const at = this.CONSUME(word('overlaps'));
          const right = this.SUBRULE(this.operand);
          return { kind: 'overlaps', right, span: this.spanFrom(at) };
        },
      },
      { ALT: () => ({ kind: 'holds', span: this.spanFrom(start) }) },
    ]);
    return { kind: 'relation', left, negated, relation, span: this.spanFrom(start) };
  });

  readonly isRelation: Parsed<Tree.Relation> = this.define('isRelation', () => {
    const start = this.LA(1);
    return this.choose<Tree.Relation>(0, [
      { ALT: () => (this.CONSUME(word('known')), { kind: 'known', span: this.spanFrom(start) }) },
      { ALT: () => (this.CONSUME(word('unredacted')), { kind: 'unredacted', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          this.CONSUME(word('one'));
          this.CONSUME(word('of'));
          const values = this.SUBRULE(this.operands);
          return { kind: 'oneOf', values, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('in'));
          return this.choose<Tree.Relation>(1, {
            IGNORE_AMBIGUITIES: true,
            DEF: [
              {
                ALT: () => {
                  this.CONSUME(word('hours'));
                  const hours = this.SUBRULE(this.name);
                  return { kind: 'inHours', hours, span: this.spanFrom(start) };
                },
              },
              {
                ALT: () => {
                  const list = this.SUBRULE1(this.name);
                  return { kind: 'inList', list, span: this.spanFrom(start) };
                },
              },
            ],
          });
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('approved'));
          this.CONSUME(word('by'));
          const reviewers = this.SUBRULE2(this.name);
          return { kind: 'approvedBy', reviewers, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('at'));
          const operator = this.choose<'atLeast' | 'atMost'>(2, [
            { ALT: () => (this.CONSUME(word('least')), 'atLeast') },
            { ALT: () => (this.CONSUME(word('most')), 'atMost') },
          ]);
          const right = this.SUBRULE(this.operand);
          return { kind: 'compare', operator, right, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          const operator = this.choose<'above' | 'below'>(3, [
            { ALT: () => (this.CONSUME(word('above')), 'above') },
            { ALT: () => (this.CONSUME(word('below')), 'below') },
          ]);
          const right = this.SUBRULE1(this.operand);
          return { kind: 'compare', operator, right, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('subset'));
          this.CONSUME1(word('of'));
          const right = this.SUBRULE2(this.operand);
          return { kind: 'subsetOf', right, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          const right = this.SUBRULE3(this.operand);
          return { kind: 'compare', operator: 'is', right, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly containsRelation: Parsed<Tree.Relation> = this.define('containsRelation', () => {
    const start = this.CONSUME(word('contains'));
    let any = false;
    const values = this.choose<Tree.Operand[]>(0, {
      DEF: [
        {
          ALT: () => {
            this.CONSUME(word('any'));
            this.CONSUME(word('of'));
            any = true;
            return this.SUBRULE(this.operands);
          },
        },
        { ALT: () => [this.SUBRULE(this.operand)] },
      ],
      IGNORE_AMBIGUITIES: true,
    });
    const includingRestored = this.SUBRULE(this.includingRestored);
    return { kind: 'contains', any, values, includingRestored, span: this.spanFrom(start) };
  });

  readonly includingRestored: Parsed<boolean> = this.define('includingRestored', () => {
    let result = false;
    this.OPTION(() => {
      this.CONSUME(word('including'));
      this.CONSUME(word('restored'));
      result = true;
    });
    return result;
  });

  readonly operands: Parsed<Tree.Operand[]> = this.define('operands', () => {
    const values: Tree.Operand[] = [];
    this.CONSUME(T.OpenParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => values.push(this.SUBRULE(this.operand)) });
    this.CONSUME(T.CloseParen);
    return values;
  });

  readonly operand: Parsed<Tree.Operand> = this.define('operand', () =>
    this.choose<Tree.Operand>(0, [
      { ALT: () => this.SUBRULE(this.text) },
      { ALT: () => this.SUBRULE(this.plainAmount) },
      { ALT: () => this.SUBRULE(this.date) },
      { ALT: () => this.SUBRULE(this.boolean) },
      { ALT: () => this.SUBRULE(this.set) },
      { ALT: () => this.SUBRULE(this.dottedPath) },
    ]),
  );

  readonly plainAmount: Parsed<Tree.NumberNode | Tree.Quantity> = this.define('plainAmount', () => {
    const start = this.LA(1);
    const number = this.SUBRULE(this.number);
    let result: Tree.NumberNode | Tree.Quantity = number;
    this.OPTION({
      GATE: () => this.unitFollows(),
      DEF: () => {
        const unit = this.SUBRULE(this.name);
        result = { kind: 'quantity', number, unit, span: this.spanFrom(start) };
      },
    });
    return result;
  });
}
