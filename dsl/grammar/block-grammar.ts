/** The blocks in braces: the policy's entries, attributes, settings, and the steps of a test. */
import type * as Tree from '../syntax-tree.ts';
import * as T from '../tokens.ts';
import { word } from '../tokens.ts';
import type { Parsed } from './base-grammar.ts';
import { ClauseGrammar } from './clause-grammar.ts';

export class BlockGrammar extends ClauseGrammar {
  readonly event: Parsed<Tree.EventNode> = this.define('event', () => {
    const start = this.LA(1);
    const event = this.choose<Tree.EventNode['event']>(0, [
      { ALT: () => (this.CONSUME(word('prompt')), 'prompt') },
      { ALT: () => (this.CONSUME(word('completion')), 'completion') },
      {
        ALT: () => {
          this.CONSUME(word('tool'));
          this.CONSUME(word('call'));
          return 'toolCall';
        },
      },
      { ALT: () => (this.CONSUME(word('retrieval')), 'retrieval') },
      { ALT: () => (this.CONSUME(word('ingest')), 'ingest') },
      { ALT: () => (this.CONSUME(word('exchange')), 'exchange') },
      { ALT: () => (this.CONSUME(word('egress')), 'egress') },
    ]);
    return { kind: 'event', event, of: null, span: this.spanFrom(start) };
  });

  readonly eventOf: Parsed<Tree.EventNode> = this.define('eventOf', () => {
    const start = this.LA(1);
    const event = this.SUBRULE(this.event);
    let of: Tree.Name | null = null;
    this.OPTION(() => {
      this.choose(0, [
        { ALT: () => this.CONSUME(word('from')) },
        { ALT: () => this.CONSUME(word('to')) },
        { ALT: () => this.CONSUME(word('into')) },
      ]);
      of = this.SUBRULE(this.name);
    });
    return { ...event, of, span: this.spanFrom(start) };
  });

  readonly decision: Parsed<'allow' | 'deny'> = this.define('decision', () =>
    this.choose<'allow' | 'deny'>(0, [
      { ALT: () => (this.CONSUME(word('allow')), 'allow') },
      { ALT: () => (this.CONSUME(word('deny')), 'deny') },
    ]),
  );

  readonly policyEntry: Parsed<Tree.PolicyEntry> = this.define('policyEntry', () => {
    const start = this.LA(1);
    return this.choose<Tree.PolicyEntry>(0, [
      {
        ALT: () => {
          this.CONSUME(word('owner'));
          const text = this.SUBRULE(this.text);
          return { kind: 'policyOwner', text, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('currency'));
          const name = this.SUBRULE(this.name);
          return { kind: 'currency', name, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('time'));
          this.CONSUME(word('zone'));
          const text = this.SUBRULE1(this.text);
          return { kind: 'timeZone', text, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('default'));
          const event = this.SUBRULE(this.event);
          this.CONSUME(T.Colon);
          const decision = this.SUBRULE(this.decision);
          return { kind: 'default', event, decision, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('on'));
          this.CONSUME(word('failure'));
          this.CONSUME1(T.Colon);
          const decision = this.SUBRULE1(this.decision);
          return { kind: 'onFailure', decision, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('base'));
          this.CONSUME(word('classification'));
          this.CONSUME2(T.Colon);
          const name = this.SUBRULE1(this.name);
          return { kind: 'baseClassification', name, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly attribute: Parsed<Tree.AttributeNode> = this.define('attribute', () => {
    const start = this.LA(1);
    const name = this.SUBRULE(this.anyName);
    this.CONSUME(T.Colon);
    let optional = false;
    this.OPTION(() => {
      this.CONSUME(word('optional'));
      optional = true;
    });
    const type = this.SUBRULE(this.type);
    let source: Tree.AttributeSourceNode | null = null;
    this.OPTION1({
      GATE: () => this.LA(2).tokenType !== T.Colon,
      DEF: () => {
        source = this.SUBRULE(this.attributeSource);
      },
    });
    let otherwise: Tree.Literal | null = null;
    this.OPTION2({
      GATE: () => this.LA(2).tokenType !== T.Colon,
      DEF: () => {
        this.CONSUME(word('else'));
        otherwise = this.SUBRULE(this.literal);
      },
    });
    return { kind: 'attribute', name, optional, type, source, otherwise, span: this.spanFrom(start) };
  });

  readonly attributeSource: Parsed<Tree.AttributeSourceNode> = this.define('attributeSource', () => {
    const start = this.CONSUME(word('from'));
    const from = this.choose<Tree.AttributeSourceNode['from']>(0, [
      { ALT: () => (this.CONSUME(word('claim')), 'claim') },
      { ALT: () => (this.CONSUME(word('metadata')), 'metadata') },
      { ALT: () => (this.CONSUME(word('argument')), 'argument') },
    ]);
    const name = this.SUBRULE(this.text);
    let splitBy: Tree.Text | null = null;
    this.OPTION({
      GATE: () => this.LA(2).tokenType !== T.Colon,
      DEF: () => {
        this.CONSUME(word('split'));
        this.CONSUME(word('by'));
        splitBy = this.SUBRULE1(this.text);
      },
    });
    return { kind: 'source', from, name, splitBy, span: this.spanFrom(start) };
  });

  readonly attributes: Parsed<Tree.AttributeNode[]> = this.define('attributes', () => {
    const attributes: Tree.AttributeNode[] = [];
    this.CONSUME(T.OpenBrace);
    this.MANY(() => attributes.push(this.SUBRULE(this.attribute)));
    this.CONSUME(T.CloseBrace);
    return attributes;
  });

  readonly setting: Parsed<Tree.Setting> = this.define('setting', () => {
    const start = this.LA(1);
    const name = this.SUBRULE(this.anyName);
    this.CONSUME(T.Colon);
    const value = this.SUBRULE(this.literal);
    return { kind: 'setting', name, value, span: this.spanFrom(start) };
  });

  readonly settings: Parsed<Tree.Setting[]> = this.define('settings', () => {
    const settings: Tree.Setting[] = [];
    this.CONSUME(T.OpenBrace);
    this.MANY(() => settings.push(this.SUBRULE(this.setting)));
    this.CONSUME(T.CloseBrace);
    return settings;
  });

  readonly testStep: Parsed<Tree.TestStepNode> = this.define('testStep', () => {
    const start = this.LA(1);
    return this.choose<Tree.TestStepNode>(0, [
      {
        ALT: () => {
          this.CONSUME(word('caller'));
          const settings = this.SUBRULE(this.settings);
          return { kind: 'givenCaller', settings, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('now'));
          const date = this.SUBRULE(this.date);
          return { kind: 'givenNow', date, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('switch'));
          const name = this.SUBRULE(this.name);
          const on = this.choose<boolean>(1, [
            { ALT: () => (this.CONSUME(word('on')), true) },
            { ALT: () => (this.CONSUME(word('off')), false) },
          ]);
          return { kind: 'givenSwitch', name, on, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('list'));
          const name = this.SUBRULE1(this.name);
          const entries = this.SUBRULE(this.set);
          return { kind: 'givenList', name, entries, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('spent'));
          const amount = this.SUBRULE(this.quantity);
          let budget: Tree.Name | null = null;
          this.OPTION(() => {
            this.CONSUME(word('of'));
            budget = this.SUBRULE2(this.name);
          });
          return { kind: 'givenSpent', amount, budget, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('prompt'));
          this.CONSUME(word('to'));
          const to = this.choose<Tree.Name | Tree.Text>(2, [
            { ALT: () => this.SUBRULE3(this.name) },
            { ALT: () => this.SUBRULE(this.text) },
          ]);
          const text = this.SUBRULE1(this.text);
          let settings: Tree.Setting[] = [];
          this.OPTION1(() => {
            settings = this.SUBRULE1(this.settings);
          });
          return { kind: 'givenPrompt', to, text, settings, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('completion'));
          const text = this.SUBRULE2(this.text);
          return { kind: 'givenCompletion', text, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('chunk'));
          let store: Tree.Name | null = null;
          this.OPTION2(() => {
            this.CONSUME(word('from'));
            store = this.SUBRULE4(this.name);
          });
          const settings = this.SUBRULE2(this.settings);
          return { kind: 'givenChunk', store, settings, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('document'));
          let store: Tree.Name | null = null;
          this.OPTION3(() => {
            this.CONSUME(word('into'));
            store = this.SUBRULE5(this.name);
          });
          const settings = this.SUBRULE3(this.settings);
          return { kind: 'givenDocument', store, settings, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('tool'));
          this.CONSUME(word('call'));
          this.CONSUME1(word('to'));
          const tool = this.SUBRULE6(this.name);
          const settings = this.SUBRULE4(this.settings);
          return { kind: 'givenToolCall', tool, settings, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('egress'));
          this.CONSUME2(word('to'));
          const host = this.SUBRULE3(this.text);
          return { kind: 'givenEgress', host, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('exchange'));
          this.CONSUME(word('ends'));
          return { kind: 'givenEnd', span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('expect'));
          const expectation = this.SUBRULE(this.expectation);
          return { kind: 'expect', expectation, span: this.spanFrom(start) };
        },
      },
    ]);
  });

  readonly byRule: Parsed<Tree.Name | null> = this.define('byRule', () => {
    let by: Tree.Name | null = null;
    this.OPTION(() => {
      this.CONSUME(word('by'));
      by = this.SUBRULE(this.name);
    });
    return by;
  });

  readonly expectation: Parsed<Tree.ExpectationNode> = this.define('expectation', () => {
    const start = this.LA(1);
    return this.choose<Tree.ExpectationNode>(0, [
      { ALT: () => (this.CONSUME(word('allow')), { kind: 'expectAllow', span: this.spanFrom(start) }) },
      {
        ALT: () => {
          const kind = this.choose<'expectDeny' | 'expectWithheld' | 'expectHold' | 'expectRecord' | 'expectSample'>(
            1,
            [
              { ALT: () => (this.CONSUME(word('deny')), 'expectDeny') },
              { ALT: () => (this.CONSUME(word('withheld')), 'expectWithheld') },
              { ALT: () => (this.CONSUME(word('hold')), 'expectHold') },
              { ALT: () => (this.CONSUME(word('record')), 'expectRecord') },
              { ALT: () => (this.CONSUME(word('sample')), 'expectSample') },
            ],
          );
          const by = this.SUBRULE(this.byRule);
          return { kind, by, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('redact'));
          const detector = this.SUBRULE(this.name);
          const by = this.SUBRULE1(this.byRule);
          return { kind: 'expectRedact', detector, by, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('sent'));
          const text = this.SUBRULE(this.text);
          return { kind: 'expectSent', text, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('model'));
          const model = this.SUBRULE1(this.name);
          return { kind: 'expectModel', model, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('classification'));
          const level = this.SUBRULE2(this.name);
          return { kind: 'expectClassification', level, span: this.spanFrom(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(word('tag'));
          const name = this.SUBRULE3(this.name);
          this.CONSUME(T.Equals);
          const value = this.SUBRULE(this.literal);
          return { kind: 'expectTag', name, value, span: this.spanFrom(start) };
        },
      },
    ]);
  });
}
