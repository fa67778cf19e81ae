// `notify` in the plan: whose webhook, on which rule; and that a rule which only tells is one that fires, and holds up
// nothing.
import { describe, expect, test } from 'vitest';
import { ruleNoticesOf } from '../../compiler/bundle/notice-terms.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { decide } from '../../compiler/interpret/decide.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';

const POLICY = `policy bank {
  owner "a@bank.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
}
caller { id: text from claim "sub"  group: text from claim "group" else "" }
models { }
model m "m" { provider: openai input_price: 10 usd per 1M tokens output_price: 100 usd per 1M tokens context: 4_096 tokens max_output: 40 tokens }
store docs chroma "docs" { owner: text from metadata "owner" }
recipient desk by webhook "privacy-desk"
recipient board by webhook "board-channel"
`;

function planOf(source: string): Plan {
  const { program, diagnostics } = checkProgram([sourceFile('p.writ', POLICY + source)], []);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(program!.unenforced).toEqual([]);
  return lower(program!, { sourceHash: '0'.repeat(64), compilerVersion: 'test' });
}

const prompt = (model: string, group = '') => ({
  event: 'prompt',
  caller: { id: 'u1', group },
  prompt: { requested_model: model, input_tokens_bound: 1, tokens_estimate: 1, choices: 1 },
  text: { found: [] },
});

describe('a rule that only tells', () => {
  const plan = planOf(`rule auditors on prompt where caller.group is "audit" notify desk notify board notify desk`);

  test('names its recipients once each, by name', () => {
    expect(plan.events.find(({ kind }) => kind === 'prompt')?.rules).toMatchObject([
      {
        name: 'auditors',
        effects: [],
        notify: [
          { recipient: 'board', webhook: 'board-channel' },
          { recipient: 'desk', webhook: 'privacy-desk' },
        ],
      },
    ]);
  });

  test('fires where its condition holds, and changes nothing', () => {
    expect(decide(plan, prompt('m', 'audit'))).toMatchObject({ outcome: 'allow', fired: ['auditors'] });
    expect(decide(plan, prompt('m'))).toMatchObject({ outcome: 'allow', fired: [] });
  });

  test('fires also where no model is left', () => {
    expect(decide(plan, prompt('other', 'audit'))).toMatchObject({ outcome: 'deny', fired: ['auditors'] });
  });

  test('holds back no stream', () => {
    const { events } = planOf(
      'rule silent on completion where not (text contains "secret") notify desk\nrule r on prompt where text contains "secret" deny "No"',
    );
    expect(events.find(({ kind }) => kind === 'completion')).toMatchObject({ stream: 'early' });
  });

  test('is asked before a store is', () => {
    const { events } = planOf('rule seen on retrieval from docs where caller.group is "audit" notify desk');
    expect(events.find(({ kind }) => kind === 'retrieval')).toMatchObject({
      requestRules: [{ name: 'seen', effects: [] }],
      rules: [{ name: 'seen' }],
    });
  });
});

test('a rule that requires something tells where that is not met', () => {
  const { events } = planOf('rule owned on ingest to docs require chunk.owner is "u1" notify desk');
  expect(events.find(({ kind }) => kind === 'ingest')?.rules).toMatchObject([
    { name: 'owned', effects: [{ kind: 'deny' }], notify: [{ recipient: 'desk' }] },
  ]);
});

test('thresholds of a budget that tell are apart from those that remove models', () => {
  const { events } = planOf(`budget all
  limit 5 usd per day
  at 80 percent notify desk
  at 90 percent use only models where model is m
  at 90 percent notify board`);
  const [budget] = events.flatMap((event) => (event.kind === 'prompt' ? event.budgets : []));
  expect(budget?.thresholds.map(({ percent }) => percent)).toEqual([90]);
  expect(budget?.notify?.map(({ percent, recipient, webhook }) => [percent, recipient, webhook])).toEqual([
    [80, 'desk', 'privacy-desk'],
    [90, 'board', 'board-channel'],
  ]);
});

test('a bundle says who is told of which rule, whatever event it is on', () => {
  const plan = planOf(`rule first on prompt notify desk
rule second on completion notify desk
rule fourth on exchange notify desk
rule third on prompt deny "No" waivable by "a@bank.example"
waiver audit "The auditors" of third until 2026-12-31 owner "a@bank.example" notify board`);
  const files = new Map([[BUNDLE_PATHS.plan, Buffer.from(JSON.stringify(plan))]]);
  expect([...ruleNoticesOf(files)]).toEqual([
    ['first', [{ recipient: 'desk', webhook: 'privacy-desk' }]],
    ['waiver audit', [{ recipient: 'board', webhook: 'board-channel' }]],
    ['second', [{ recipient: 'desk', webhook: 'privacy-desk' }]],
    ['fourth', [{ recipient: 'desk', webhook: 'privacy-desk' }]],
  ]);
  expect(() => ruleNoticesOf(new Map([[BUNDLE_PATHS.plan, Buffer.from('{"events":[{"rules":{}}]}')]]))).toThrow(
    'cannot be read',
  );
});
