/** The facts that the kernel reads from the wire, seen through rules that read them. */
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, run } from './test-filter.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(`${POLICY}
rule card_from_user on prompt where some m in prompt.messages has (m.role is user and m.text contains payment_card) deny "card"
rule streams on prompt where prompt.stream is true deny "stream"
rule tools on prompt where prompt.tools is above 1 deny "tools"
rule large on prompt where prompt.bytes is above 1_000 bytes deny "bytes"
rule tokens on prompt where prompt.tokens_estimate is above 200 tokens deny "estimate"
rule many on prompt where prompt.choices is above 2 deny "choices"
rule much on prompt where prompt.output_tokens is known and prompt.output_tokens is above 3_000 tokens deny "output"
`);
});

const reasons = (fields: object): readonly string[] => {
  const seen = run(filter, { body: JSON.stringify({ model: 'gpt-4o', ...fields }) });
  return (seen.records[0]?.['reasons'] as readonly { readonly message?: string; readonly kind: string }[]).map(
    (each) => each.message ?? each.kind,
  );
};
const user = (content: unknown): object => ({ role: 'user', content });

test('each fact is what the body says', () => {
  expect(reasons({ messages: [user('hi')] })).toEqual([]);
  expect(reasons({ messages: [user('4111 1111 1111 1111')] })).toEqual(['card']);
  expect(
    reasons({
      messages: [
        {
          content: [
            { type: 'text', text: '4111 1111 ' },
            { type: 'text', text: '1111 1111' },
          ],
          role: 'user',
        },
      ],
    }),
  ).toEqual(['card']);
  expect(reasons({ messages: [{ role: 'system', content: '4111 1111 1111 1111' }, user('hi')] })).toEqual([]);
  expect(reasons({ messages: [], stream: true })).toEqual(['stream']);
  expect(reasons({ messages: [], stream: false })).toEqual([]);
  expect(reasons({ messages: [], n: 3 })).toEqual(['choices']);
  expect(reasons({ messages: [], max_tokens: 3_001 })).toEqual(['output']);
  expect(reasons({ messages: [], max_tokens: 1, max_completion_tokens: 3_001 })).toEqual(['output']);
  const tool = { type: 'function', function: { name: 'f' } };
  expect(reasons({ messages: [], tools: [tool] })).toEqual([]);
  expect(reasons({ messages: [], tools: [tool, tool] })).toEqual(['tools']);
});

test('sizes count the text, unescaped, as UTF-8', () => {
  expect(reasons({ messages: [user('a'.repeat(784))] })).toEqual([]);
  expect(reasons({ messages: [user('a'.repeat(785))] })).toEqual(['estimate']);
  expect(reasons({ messages: [user('é'.repeat(392))] })).toEqual([]);
  expect(reasons({ messages: [user('é'.repeat(393))] })).toEqual(['estimate']);
  const escaped = `{"model":"gpt-4o","messages":[{"role":"user","content":"${'\\u00e9'.repeat(392)}"}]}`;
  expect(run(filter, { body: escaped }).sent).not.toBeNull();
  expect(reasons({ messages: [user('a'.repeat(1_000))] })).toEqual(['estimate']);
  expect(reasons({ messages: [user('a'.repeat(1_001))] })).toEqual(['bytes', 'estimate']);
});

test('4,096 messages are told one by one, with more the fact has failed', () => {
  const messages = (n: number): object => ({ messages: Array.from({ length: n }, () => user('')) });
  expect(reasons(messages(4_096))).toEqual(['estimate']);
  expect(reasons(messages(4_097))).toEqual(['failed', 'estimate']);
});

test('what the host scans and decides without an exchange is the same code', () => {
  expect(filter.scan(Buffer.from('é EMP-123456')).map(({ start, end }) => [start, end])).toEqual([[3, 13]]);
  expect(JSON.parse(filter.decide('{"event":"prompt"}'))).toMatchObject({ event: 'prompt', outcome: 'deny' });
  expect(JSON.parse(filter.decide('nonsense'))).toMatchObject({ event: null, outcome: 'deny' });
});
