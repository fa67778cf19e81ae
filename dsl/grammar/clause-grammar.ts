/**
 * Every clause of every declaration in one rule: which clause may stand where is a table (`clauses-of.ts`), so that a
 * misplaced one is read and named.
 */
import type { TokenType } from 'chevrotain';
import type * as Tree from '../syntax-tree.ts';
import * as T from '../tokens.ts';
import { word } from '../tokens.ts';
import type { Parsed } from './base-grammar.ts';
import { ConditionGrammar } from './condition-grammar.ts';

export class ClauseGrammar extends ConditionGrammar {
  readonly clauses: Parsed<Tree.Clause[]> = this.define('clauses', () => {
    const clauses: Tree.Clause[] = [];
    this.MANY(() => clauses.push(this.SUBRULE(this.clause)));
    return clauses;
  });

  readonly clause: Parsed<Tree.Clause> = this.define('clause', () =>
    this.choose<Tree.Clause>(0, [
      { ALT: () => this.SUBRULE(this.whereClause) },
      { ALT: () => this.SUBRULE(this.decisionEffect) },
      { ALT: () => this.SUBRULE(this.chunkEffect) },
      { ALT: () => this.SUBRULE(this.useOnly) },
      { ALT: () => this.SUBRULE(this.redact) },
      { ALT: () => this.SUBRULE(this.wireEffect) },
      { ALT: () => this.SUBRULE(this.reviewEffect) },
      { ALT: () => this.SUBRULE(this.notify) },
      { ALT: () => this.SUBRULE(this.metaClause) },
      { ALT: () => this.SUBRULE(this.forClause) },
      { ALT: () => this.SUBRULE(this.preferClause) },
      { ALT: () => this.SUBRULE(this.atClause) },
    ]),
  );

  readonly whereClause: Parsed<Tree.Clause> = this.define('whereClause', () => {
    const start = this.LA(1);
    const kind = this.choose<'where' | 'unless'>(0, [
      { ALT: () => (this.CONSUME(word('where')), 'where') },
      { ALT: () => (this.CONSUME(word('unless')), 'unless') },
    ]);
    const condition = this.SUBRULE(this.condition);
    return { kind, condition, span: this.spanFrom(start) };
  });

  readonly reason: Parsed<Tree.Text | null> = this.define('reason', () => {
    let reason: Tree.Text | null = null;
    this.OPTION(() => {
      reason = this.SUBRULE(this.text);
    });
    return reason;
  });

  readonly decisionEffect: Parsed<Tree.Clause> = this.define('decisionEffect', () => {
    const start = this.LA(1);
    return this.choose<Tree.Clause>(0, [
      {
        ALT: () => {
          this.CONSUME(word('deny'));
          const reason = this.SUBRULE(this.reason);
          return { kind: 'deny', reason, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('else'));
          this.CONSUME1(word('deny'));
          const reason = this.SUBRULE1(this.reason);
          return { kind: 'elseDeny', reason, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('require'));
          const condition = this.SUBRULE(this.condition);
          return { kind: 'require', condition, span: this.spanFrom(start) };
        },
      },
      { ALT: () => (this.CONSUME(word('buffer')), { kind: 'buffer', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          this.CONSUME(word('drop'));
          this.CONSUME(word('call'));
          return { kind: 'dropCall', span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly chunkEffect: Parsed<Tree.Clause> = this.define('chunkEffect', () => {
    const start = this.LA(1);
    return this.choose<Tree.Clause>(0, [
      {
        ALT: () => {
          this.CONSUME(word('allow'));
          this.CONSUME(word('chunk'));
          this.CONSUME(word('where'));
          const condition = this.SUBRULE(this.condition);
          return { kind: 'allowChunk', condition, span: this.spanFrom(start) };
        },
      },
      { ALT: () => (this.CONSUME1(word('allow')), { kind: 'allow', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          this.CONSUME(word('withhold'));
          this.CONSUME1(word('chunk'));
          this.CONSUME(word('unless'));
          const condition = this.SUBRULE1(this.condition);
          let say: Tree.Text | null = null;
          this.OPTION(() => {
            this.CONSUME(word('else'));
            this.CONSUME(word('say'));
            say = this.SUBRULE(this.text);
          });
          return { kind: 'withholdChunk', condition, say, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('keep'));
          this.CONSUME(word('newest'));
          const newest = this.SUBRULE(this.dottedPath);
          this.CONSUME(word('for'));
          this.CONSUME(word('each'));
          const forEach = this.SUBRULE1(this.dottedPath);
          return { kind: 'keepNewest', newest, forEach, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly useOnly: Parsed<Extract<Tree.EffectClause, { kind: 'useOnly' }>> = this.define('useOnly', () => {
    const start = this.CONSUME(word('use'));
    this.CONSUME(word('only'));
    this.CONSUME(word('models'));
    this.CONSUME(word('where'));
    const condition = this.SUBRULE(this.condition);
    return { kind: 'useOnly', condition, span: this.spanFrom(start) };
  });

  readonly redact: Parsed<Tree.Clause> = this.define('redact', () => {
    const start = this.CONSUME(word('redact'));
    let any = false;
    const detectors = this.choose<Tree.Name[]>(0, {
      DEF: [
        {
          ALT: () => {
            this.CONSUME(word('any'));
            this.CONSUME(word('of'));
            any = true;
            this.CONSUME(T.OpenParen);
            const names = this.SUBRULE(this.names);
            this.CONSUME(T.CloseParen);
            return names;
          },
        },
        { ALT: () => [this.SUBRULE(this.name)] },
      ],
      IGNORE_AMBIGUITIES: true,
    });
    const includingRestored = this.SUBRULE(this.includingRestored);
    this.CONSUME(word('as'));
    const mode = this.SUBRULE(this.redactMode);
    return { kind: 'redact', any, detectors, includingRestored, mode, span: this.spanFrom(start) };
  });

  readonly redactMode: Parsed<Tree.RedactModeNode> = this.define('redactMode', () => {
    const start = this.LA(1);
    return this.choose<Tree.RedactModeNode>(0, [
      { ALT: () => (this.CONSUME(word('placeholder')), { kind: 'placeholder', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          this.CONSUME(word('mask'));
          let keepLast: Tree.NumberNode | null = null;
          this.OPTION(() => {
            this.CONSUME(word('keeping'));
            this.CONSUME(word('last'));
            keepLast = this.SUBRULE(this.number);
          });
          return { kind: 'mask', keepLast, span: this.spanFrom(start) };
        },
      },
      { ALT: () => (this.CONSUME(word('remove')), { kind: 'remove', span: this.spanFrom(start) }) },
      { ALT: () => (this.CONSUME(word('year')), { kind: 'year', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          this.CONSUME(word('pseudonym'));
          this.CONSUME(word('for'));
          this.CONSUME(word('each'));
          const forEach = this.SUBRULE(this.dottedPath);
          return { kind: 'pseudonym', forEach, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly wireEffect: Parsed<Tree.Clause> = this.define('wireEffect', () => {
    const start = this.LA(1);
    return this.choose<Tree.Clause>(0, [
      {
        ALT: () => {
          this.CONSUME(word('set'));
          const path = this.SUBRULE(this.dottedPath);
          this.CONSUME(word('to'));
          const value = this.SUBRULE(this.literal);
          return { kind: 'setField', path, value, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('limit'));
          return this.choose<Tree.Clause>(1, [
            {
              ALT: () => {
                const path = this.SUBRULE1(this.dottedPath);
                this.CONSUME1(word('to'));
                const to = this.SUBRULE(this.quantity);
                return { kind: 'limitTo', path, to, span: this.spanFrom(start) };
              },
            },
            {
              ALT: () => {
                const quantity = this.SUBRULE1(this.quantity);
                this.CONSUME(word('per'));
                const per = this.SUBRULE(this.name);
                let zone: Tree.Text | null = null;
                this.OPTION(() => {
                  this.CONSUME(word('in'));
                  zone = this.SUBRULE(this.text);
                });
                return { kind: 'limitPer', quantity, per, zone, span: this.spanFrom(start) };
              },
            },
          ]);
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('tag'));
          const name = this.SUBRULE1(this.name);
          this.CONSUME(T.Equals);
          const value = this.SUBRULE1(this.literal);
          return { kind: 'tag', name, value, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly reviewEffect: Parsed<Tree.Clause> = this.define('reviewEffect', () => {
    const start = this.LA(1);
    return this.choose<Tree.Clause>(0, [
      {
        ALT: () => {
          this.CONSUME(word('record'));
          this.CONSUME(word('exchange'));
          this.CONSUME(word('for'));
          const duration = this.SUBRULE(this.quantity);
          return { kind: 'record', duration, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('hold'));
          this.CONSUME1(word('for'));
          this.CONSUME(word('review'));
          this.CONSUME(word('by'));
          const count = this.SUBRULE(this.number);
          this.CONSUME(word('of'));
          const reviewers = this.SUBRULE(this.name);
          this.CONSUME(word('up'));
          this.CONSUME(word('to'));
          const duration = this.SUBRULE1(this.quantity);
          this.CONSUME(word('else'));
          this.CONSUME(word('deny'));
          return { kind: 'hold', count, reviewers, duration, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('sample'));
          const share = this.SUBRULE1(this.number);
          this.CONSUME(word('percent'));
          this.CONSUME2(word('for'));
          this.CONSUME1(word('review'));
          this.CONSUME1(word('by'));
          const reviewers = this.SUBRULE1(this.name);
          return { kind: 'sample', share, reviewers, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly notify: Parsed<Extract<Tree.EffectClause, { kind: 'notify' }>> = this.define('notify', () => {
    const start = this.CONSUME(word('notify'));
    const recipient = this.SUBRULE(this.name);
    return { kind: 'notify', recipient, span: this.spanFrom(start) };
  });

  readonly metaClause: Parsed<Tree.Clause> = this.define('metaClause', () => {
    const start = this.LA(1);
    return this.choose<Tree.Clause>(0, [
      {
        ALT: () => {
          const kind = this.choose<'cites' | 'owner'>(1, [
            { ALT: () => (this.CONSUME(word('cites')), 'cites') },
            { ALT: () => (this.CONSUME(word('owner')), 'owner') },
          ]);
          const text = this.SUBRULE(this.text);
          return { kind, text, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('effective'));
          const from = this.SUBRULE(this.day);
          let until: Tree.DateNode | null = null;
          this.OPTION(() => {
            this.CONSUME(word('until'));
            until = this.SUBRULE1(this.day);
          });
          return { kind: 'effective', from, until, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME1(word('until'));
          const date = this.SUBRULE2(this.day);
          return { kind: 'until', date, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('waivable'));
          this.CONSUME(word('by'));
          const text = this.SUBRULE1(this.text);
          return { kind: 'waivableBy', text, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly forClause: Parsed<Tree.Clause> = this.define('forClause', () => {
    const start = this.CONSUME(word('for'));
    return this.choose<Tree.Clause>(0, {
      DEF: [
        {
          GATE: () => !this.isNameInCondition(),
          ALT: () => {
            this.CONSUME(word('requested'));
            const requested = this.choose<Tree.Text | null>(1, [
              { ALT: () => this.SUBRULE(this.text) },
              { ALT: () => (this.CONSUME(word('any')), null) },
            ]);
            return { kind: 'forRequested', requested, span: this.spanFrom(start) };
          },
        },
        {
          GATE: () => !this.isNameInCondition(),
          ALT: () => {
            this.CONSUME(word('each'));
            const path = this.SUBRULE(this.dottedPath);
            return { kind: 'forEach', path, span: this.spanFrom(start) };
          },
        },
        {
          ALT: () => {
            const condition = this.SUBRULE(this.condition);
            return { kind: 'for', condition, span: this.spanFrom(start) };
          },
        },
      ],
      // One token tells, with the gates; more would be asked of a condition that is a name alone.
      MAX_LOOKAHEAD: 1,
      IGNORE_AMBIGUITIES: true,
    });
  });

  readonly preferClause: Parsed<Tree.Clause> = this.define('preferClause', () => {
    const start = this.CONSUME(word('prefer'));
    const choiceStart = this.LA(1);
    const choice = this.choose<Tree.PreferChoice>(0, {
      DEF: [
        {
          ALT: () => {
            this.CONSUME(word('any'));
            this.CONSUME(word('by'));
            this.CONSUME(word('price'));
            return { kind: 'preferCheapest', span: this.spanFrom(choiceStart) };
          },
        },
        { ALT: () => (this.CONSUME(word('requested')), { kind: 'preferRequested', span: this.spanFrom(choiceStart) }) },
        {
          ALT: () => {
            const name = this.SUBRULE(this.name);
            return { kind: 'preferModel', name, span: this.spanFrom(choiceStart) };
          },
        },
      ],
      IGNORE_AMBIGUITIES: true,
    });
    let condition: Tree.ConditionNode | null = null;
    this.OPTION(() => {
      this.CONSUME(word('where'));
      condition = this.SUBRULE(this.condition);
    });
    return { kind: 'prefer', choice, condition, span: this.spanFrom(start) };
  });

  readonly atClause: Parsed<Tree.Clause> = this.define('atClause', () => {
    const start = this.CONSUME(word('at'));
    const percent = this.SUBRULE(this.number);
    this.CONSUME(word('percent'));
    const effect = this.choose<Extract<Tree.EffectClause, { kind: 'notify' | 'useOnly' }>>(0, [
      { ALT: () => this.SUBRULE(this.notify) },
      { ALT: () => this.SUBRULE(this.useOnly) },
    ]);
    return { kind: 'at', percent, effect, span: this.spanFrom(start) };
  });

  /** Whether the next word, `requested` or `each`, is an attribute or term of that name that a condition begins with. */
  private isNameInCondition(): boolean {
    return CONDITION_GOES_ON.includes(this.LA(2).tokenType);
  }
}

const CONDITION_GOES_ON: readonly TokenType[] = [
  T.Dot,
  ...(['is', 'contains', 'overlaps', 'and', 'or'] as const).map((each) => word(each)),
];
