// What must be recorded, as the kernel sees it: it goes on when its record is kept, and not before.
import { expect, test } from 'vitest';
import type { KeptExchange } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { type Exchange, filterOf, run, type Seen } from './test-filter.ts';

const DAY = 86_400_000n;
const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: allow
}
caller { id : text from claim "sub" }
model small "gpt-small" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
reviewers legal from group "legal-review"
rule contracts on prompt where text contains any of ("contract") record exchange for 90 days
rule secret on prompt where text contains any of ("secret") deny "No secrets"
rule held on prompt where text contains any of ("merger") hold for review by 1 of legal up to 4 hours else deny
rule ibans on completion where text contains iban record exchange for 5 years
rule cards on prompt redact payment_card as placeholder
`;
const filter = await filterOf(POLICY);
const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const body = (content: string): string => JSON.stringify({ model: 'gpt-small', messages: [{ role: 'user', content }] });
const reply = (content: string) => ({
  body: JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  }),
});

/** What was to be kept before the exchange went on, and what became of it. */
function recorded(exchange: Exchange, isKept = true): { readonly begun: KeptExchange[]; readonly seen: Seen } {
  const begun: KeptExchange[] = [];
  const seen = run(filter, {
    ...exchange,
    record: (kept) => {
      begun.push(kept);
      return isKept;
    },
  });
  return { begun, seen };
}

test('what must be recorded goes on once its prompt is kept, and its end adds the reply', () => {
  const { begun, seen } = recorded({ body: body(`a contract, ${CARD}`), upstream: reply(`done, ${CARD}`) });
  expect(begun).toHaveLength(1);
  expect(begun[0]).toMatchObject({ callerId: 'u1', model: 'small', reply: '', ended: false, denied: false });
  expect(begun[0]!.keeps).toMatchObject([{ rule: 'contracts', reviewers: '', milliseconds: 90n * DAY }]);
  expect(JSON.parse(begun[0]!.prompt)).toEqual([{ role: 'user', content: 'a contract, [PAYMENT_CARD]' }]);
  expect(seen.sent).toContain('[PAYMENT_CARD_1_');
  expect(seen.kept).toMatchObject({ ended: true, id: begun[0]!.id, prompt: begun[0]!.prompt });
  expect(JSON.parse(seen.kept!.reply)).toEqual([{ role: 'assistant', content: 'done, [PAYMENT_CARD]' }]);
  expect(seen.records[0]).toMatchObject({
    keeps: [{ rule: 'contracts', reviewers: null, milliseconds: 7_776_000_000 }],
  });
});

test('where it cannot be kept nothing goes on, whatever failure means to the policy', () => {
  const { seen } = recorded({ body: body('a contract'), upstream: reply('done') }, false);
  expect(seen).toMatchObject({ sent: null, status: 503 });
  expect(seen.got).toContain('none can be kept');
});

test('what no rule records waits for nothing', () => {
  expect(recorded({ body: body('hello'), upstream: reply('hi') }, false)).toMatchObject({
    begun: [],
    seen: { status: 200, kept: undefined },
  });
});

test('what is denied is recorded when it is over: nothing of it has gone on', () => {
  const { begun, seen } = recorded({ body: body('a secret contract') }, false);
  expect(begun).toEqual([]);
  expect(seen.status).toBe(403);
  expect(seen.kept).toMatchObject({ denied: true, ended: true, reply: '' });
});

test('what is held is recorded when it is released', () => {
  let asked = 0;
  const { begun, seen } = recorded({
    body: body('merger contract'),
    upstream: reply('done'),
    review: () => {
      asked += 1;
      return { state: 'approved', ticket: '', seconds: 0 };
    },
  });
  expect([asked, begun.length, seen.status]).toEqual([1, 1, 200]);
});

test('a rule on completions records once the reply is known, the longest time of all is told', () => {
  const alone = recorded({ body: body('hello'), upstream: reply(IBAN) }, false);
  expect(alone.begun).toEqual([]);
  expect(alone.seen.status).toBe(200);
  expect(alone.seen.kept!.keeps).toMatchObject([{ rule: 'ibans', milliseconds: 5n * 365n * DAY }]);
  const both = recorded({ body: body('contract'), upstream: reply(IBAN) });
  expect(both.seen.kept!.keeps.map(({ rule }) => rule)).toEqual(['contracts', 'ibans']);
});
