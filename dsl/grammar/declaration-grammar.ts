/** The declarations. Each is an entry of its own: the parser hands over the tokens of one declaration at a time. */
import type * as Tree from '../syntax-tree.ts';
import * as T from '../tokens.ts';
import { word } from '../tokens.ts';
import type { Parsed } from './base-grammar.ts';
import { BlockGrammar } from './block-grammar.ts';

export type DeclarationParsers = { readonly [K in Tree.Declaration['kind']]: Parsed<Tree.Declaration> };

export class DeclarationGrammar extends BlockGrammar {
  readonly title: Parsed<Tree.Text | null> = this.define('title', () => {
    let title: Tree.Text | null = null;
    this.OPTION(() => {
      title = this.SUBRULE(this.text);
    });
    return title;
  });

  readonly policy: Parsed<Tree.Declaration> = this.define('policy', () => {
    const start = this.CONSUME(word('policy'));
    const name = this.SUBRULE(this.name);
    const entries: Tree.PolicyEntry[] = [];
    this.CONSUME(T.OpenBrace);
    this.MANY(() => entries.push(this.SUBRULE(this.policyEntry)));
    this.CONSUME(T.CloseBrace);
    return { kind: 'policy', name, entries, span: this.spanFrom(start) };
  });

  readonly import: Parsed<Tree.Declaration> = this.define('import', () => {
    const start = this.CONSUME(word('import'));
    const path = this.SUBRULE(this.text);
    this.CONSUME(word('at'));
    const hash = this.SUBRULE1(this.text);
    return { kind: 'import', path, hash, span: this.spanFrom(start) };
  });

  readonly enum: Parsed<Tree.Declaration> = this.define('enum', () => {
    const start = this.LA(1);
    const name = this.SUBRULE(this.name);
    this.CONSUME(T.Equals);
    const members: Tree.Name[] = [this.SUBRULE1(this.name)];
    let ordered = false;
    this.choose(0, [
      {
        ALT: () =>
          this.AT_LEAST_ONE(() => {
            this.CONSUME(T.Less);
            members.push(this.SUBRULE3(this.name));
            ordered = true;
          }),
      },
      {
        ALT: () =>
          this.MANY(() => {
            this.CONSUME(T.Bar);
            members.push(this.SUBRULE2(this.name));
          }),
      },
    ]);
    return { kind: 'enum', name, ordered, members, span: this.spanFrom(start) };
  });

  readonly caller: Parsed<Tree.Declaration> = this.define('caller', () => {
    const start = this.CONSUME(word('caller'));
    return this.choose<Tree.Declaration>(0, [
      {
        ALT: () => {
          const attributes = this.SUBRULE(this.attributes);
          return { kind: 'caller', attributes, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('from'));
          const path = this.SUBRULE(this.text);
          return { kind: 'callerFrom', path, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly models: Parsed<Tree.Declaration> = this.define('models', () => {
    const start = this.CONSUME(word('models'));
    const attributes = this.SUBRULE(this.attributes);
    return { kind: 'models', attributes, span: this.spanFrom(start) };
  });

  readonly model: Parsed<Tree.Declaration> = this.define('model', () => {
    const start = this.CONSUME(word('model'));
    const name = this.SUBRULE(this.name);
    const wireName = this.SUBRULE(this.text);
    const settings = this.SUBRULE(this.settings);
    return { kind: 'model', name, wireName, settings, span: this.spanFrom(start) };
  });

  readonly store: Parsed<Tree.Declaration> = this.define('store', () => {
    const start = this.CONSUME(word('store'));
    const name = this.SUBRULE(this.name);
    const store = this.SUBRULE1(this.name);
    const collection = this.SUBRULE(this.text);
    const attributes = this.SUBRULE(this.attributes);
    return { kind: 'store', name, store, collection, attributes, span: this.spanFrom(start) };
  });

  readonly tool: Parsed<Tree.Declaration> = this.define('tool', () => {
    const start = this.CONSUME(word('tool'));
    const name = this.SUBRULE(this.name);
    const wirePattern = this.SUBRULE(this.text);
    const attributes = this.SUBRULE(this.attributes);
    return { kind: 'tool', name, wirePattern, attributes, span: this.spanFrom(start) };
  });

  readonly list: Parsed<Tree.Declaration> = this.define('list', () => {
    const start = this.CONSUME(word('list'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(word('of'));
    const element = this.SUBRULE(this.type);
    this.CONSUME(word('from'));
    const feed = this.SUBRULE(this.text);
    this.CONSUME(word('max'));
    this.CONSUME(word('age'));
    const maxAge = this.SUBRULE(this.quantity);
    let maxEntries: Tree.NumberNode | null = null;
    this.OPTION(() => {
      this.CONSUME1(word('max'));
      this.CONSUME(word('entries'));
      maxEntries = this.SUBRULE(this.number);
    });
    return { kind: 'list', name, element, feed, maxAge, maxEntries, span: this.spanFrom(start) };
  });

  readonly recipient: Parsed<Tree.Declaration> = this.define('recipient', () => {
    const start = this.CONSUME(word('recipient'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(word('by'));
    const channel = this.SUBRULE1(this.name);
    const address = this.SUBRULE(this.text);
    return { kind: 'recipient', name, channel, address, span: this.spanFrom(start) };
  });

  readonly reviewers: Parsed<Tree.Declaration> = this.define('reviewers', () => {
    const start = this.CONSUME(word('reviewers'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(word('from'));
    this.CONSUME(word('group'));
    const group = this.SUBRULE(this.text);
    return { kind: 'reviewers', name, group, span: this.spanFrom(start) };
  });

  readonly hours: Parsed<Tree.Declaration> = this.define('hours', () => {
    const start = this.CONSUME(word('hours'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(T.Equals);
    const ranges: Tree.HoursRange[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => ranges.push(this.SUBRULE(this.hoursRange)) });
    let except: Tree.Name | null = null;
    this.OPTION(() => {
      this.CONSUME(word('except'));
      except = this.SUBRULE1(this.name);
    });
    let zone: Tree.Text | null = null;
    this.OPTION1(() => {
      this.CONSUME(word('in'));
      zone = this.SUBRULE(this.text);
    });
    return { kind: 'hours', name, ranges, except, zone, span: this.spanFrom(start) };
  });

  readonly hoursRange: Parsed<Tree.HoursRange> = this.define('hoursRange', () => {
    const first = this.LA(1);
    const from = this.SUBRULE(this.name);
    let to: Tree.Name | null = null;
    this.OPTION(() => {
      this.CONSUME(word('to'));
      to = this.SUBRULE1(this.name);
    });
    const start = this.SUBRULE(this.timeOfDay);
    this.CONSUME1(word('to'));
    const end = this.SUBRULE1(this.timeOfDay);
    return { kind: 'hoursRange', from, to, start, end, span: this.spanFrom(first) };
  });

  readonly timeOfDay: Parsed<Tree.TimeOfDay> = this.define('timeOfDay', () => {
    const token = this.CONSUME(T.TimeToken);
    return { kind: 'timeOfDay', text: token.image, span: this.spanFrom(token) };
  });

  readonly convert: Parsed<Tree.Declaration> = this.define('convert', () => {
    const start = this.CONSUME(word('convert'));
    const from = this.SUBRULE(this.name);
    this.CONSUME(word('at'));
    const rate = this.SUBRULE(this.number);
    const to = this.SUBRULE1(this.name);
    this.CONSUME(word('on'));
    const date = this.SUBRULE(this.day);
    return { kind: 'convert', from, rate, to, date, span: this.spanFrom(start) };
  });

  readonly detector: Parsed<Tree.Declaration> = this.define('detector', () => {
    const start = this.CONSUME(word('detector'));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.title);
    this.CONSUME(word('matches'));
    const match = this.SUBRULE(this.detectorMatch);
    let near: Tree.NearNode | null = null;
    this.OPTION(() => {
      near = this.SUBRULE(this.near);
    });
    let examples: Tree.Text[] = [];
    this.OPTION1(() => {
      this.CONSUME(word('examples'));
      examples = this.SUBRULE(this.texts);
    });
    return { kind: 'detector', name, title, match, near, examples, span: this.spanFrom(start) };
  });

  readonly texts: Parsed<Tree.Text[]> = this.define('texts', () => {
    const texts: Tree.Text[] = [];
    this.CONSUME(T.OpenParen);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => texts.push(this.SUBRULE(this.text)) });
    this.CONSUME(T.CloseParen);
    return texts;
  });

  readonly detectorMatch: Parsed<Tree.DetectorMatch> = this.define('detectorMatch', () => {
    const start = this.LA(1);
    return this.choose<Tree.DetectorMatch>(0, [
      {
        ALT: () => {
          const token = this.CONSUME(T.PatternToken);
          const pattern: Tree.Pattern = {
            kind: 'pattern',
            source: token.image.replace(/^`|`$/g, ''),
            span: this.spanFrom(token),
          };
          let ignoringCase = false;
          this.OPTION(() => {
            this.CONSUME(word('ignoring'));
            this.CONSUME(word('case'));
            ignoringCase = true;
          });
          return { kind: 'matchesPattern', pattern, ignoringCase, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('list'));
          const list = this.SUBRULE(this.name);
          return { kind: 'matchesList', list, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly near: Parsed<Tree.NearNode> = this.define('near', () => {
    const start = this.CONSUME(word('near'));
    const words = this.SUBRULE(this.texts);
    this.CONSUME(word('within'));
    const characters = this.SUBRULE(this.number);
    this.CONSUME(word('characters'));
    let side: Tree.NearNode['side'] = 'either';
    this.OPTION(() => {
      side = this.choose<'before' | 'after'>(0, [
        { ALT: () => (this.CONSUME(word('before')), 'before') },
        { ALT: () => (this.CONSUME(word('after')), 'after') },
      ]);
    });
    return { kind: 'near', words, characters, side, span: this.spanFrom(start) };
  });

  readonly detectors: Parsed<Tree.Declaration> = this.define('detectors', () => {
    const start = this.CONSUME(word('detectors'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(T.Equals);
    const members = this.SUBRULE(this.names);
    return { kind: 'detectors', name, members, span: this.spanFrom(start) };
  });

  readonly term: Parsed<Tree.Declaration> = this.define('term', () => {
    const start = this.CONSUME(word('term'));
    const name = this.SUBRULE(this.name);
    this.CONSUME(T.Equals);
    const condition = this.SUBRULE(this.condition);
    return { kind: 'term', name, condition, span: this.spanFrom(start) };
  });

  readonly rule: Parsed<Tree.Declaration> = this.define('rule', () => {
    const start = this.CONSUME(word('rule'));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.title);
    this.CONSUME(word('on'));
    const event = this.SUBRULE(this.eventOf);
    const clauses = this.SUBRULE(this.clauses);
    return { kind: 'rule', name, title, event, clauses, span: this.spanFrom(start) };
  });

  readonly classify: Parsed<Tree.Declaration> = this.define('classify', () => {
    const start = this.CONSUME(word('classify'));
    const event = this.SUBRULE(this.event);
    this.CONSUME(word('as'));
    let level: Tree.Name | null = null;
    this.choose(0, {
      DEF: [
        {
          ALT: () => {
            this.CONSUME(word('highest'));
            this.CONSUME(word('of'));
            this.CONSUME(word('receipts'));
          },
        },
        {
          ALT: () => {
            level = this.SUBRULE(this.name);
          },
        },
      ],
      IGNORE_AMBIGUITIES: true,
    });
    const clauses = this.SUBRULE(this.clauses);
    return { kind: 'classify', event, level, clauses, span: this.spanFrom(start) };
  });

  readonly route: Parsed<Tree.Declaration> = this.define('route', () => this.titled('route'));
  readonly budget: Parsed<Tree.Declaration> = this.define('budget', () => this.titled('budget'));
  readonly rate: Parsed<Tree.Declaration> = this.define('rate', () => this.titled('rate'));

  /** Only within a rule of its own, of which this is the whole text. */
  private titled(kind: 'route' | 'budget' | 'rate'): Tree.Declaration {
    const start = this.CONSUME(word(kind));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.title);
    const clauses = this.SUBRULE(this.clauses);
    return { kind, name, title, clauses, span: this.spanFrom(start) };
  }

  readonly waiver: Parsed<Tree.Declaration> = this.define('waiver', () => {
    const start = this.CONSUME(word('waiver'));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.text);
    this.CONSUME(word('of'));
    const of = this.SUBRULE(this.names);
    const clauses = this.SUBRULE(this.clauses);
    return { kind: 'waiver', name, title, of, clauses, span: this.spanFrom(start) };
  });

  readonly switch: Parsed<Tree.Declaration> = this.define('switch', () => {
    const start = this.CONSUME(word('switch'));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.text);
    this.CONSUME(word('by'));
    const by = this.SUBRULE1(this.text);
    let max: Tree.Quantity | null = null;
    this.OPTION(() => {
      this.CONSUME(word('max'));
      max = this.SUBRULE(this.quantity);
    });
    return { kind: 'switch', name, title, by, max, span: this.spanFrom(start) };
  });

  readonly delegate: Parsed<Tree.Declaration> = this.define('delegate', () => {
    const start = this.CONSUME(word('delegate'));
    this.CONSUME(word('to'));
    const to = this.SUBRULE(this.name);
    this.CONSUME(word('where'));
    const condition = this.SUBRULE(this.condition);
    this.CONSUME(word('may'));
    const may: Tree.Name[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => may.push(this.SUBRULE(this.anyName)) });
    return { kind: 'delegate', to, condition, may, span: this.spanFrom(start) };
  });

  readonly assume: Parsed<Tree.Declaration> = this.define('assume', () => {
    const start = this.CONSUME(word('assume'));
    const name = this.SUBRULE(this.name);
    const condition = this.SUBRULE(this.condition);
    return { kind: 'assume', name, condition, span: this.spanFrom(start) };
  });

  readonly guarantee: Parsed<Tree.Declaration> = this.define('guarantee', () => {
    const start = this.CONSUME(word('guarantee'));
    const name = this.SUBRULE(this.name);
    const title = this.SUBRULE(this.title);
    this.CONSUME(word('never'));
    const subject = this.choose<'prompt' | 'completion' | 'chunk'>(0, [
      { ALT: () => (this.CONSUME(word('prompt')), 'prompt') },
      { ALT: () => (this.CONSUME(word('completion')), 'completion') },
      { ALT: () => (this.CONSUME(word('chunk')), 'chunk') },
    ]);
    this.CONSUME(word('sent'));
    const clauses = this.SUBRULE(this.clauses);
    return { kind: 'guarantee', name, title, subject, clauses, span: this.spanFrom(start) };
  });

  readonly test: Parsed<Tree.Declaration> = this.define('test', () => {
    const start = this.CONSUME(word('test'));
    const title = this.SUBRULE(this.text);
    const steps: Tree.TestStepNode[] = [];
    this.CONSUME(T.OpenBrace);
    this.MANY(() => steps.push(this.SUBRULE(this.testStep)));
    this.CONSUME(T.CloseBrace);
    return { kind: 'test', title, steps, span: this.spanFrom(start) };
  });
}
