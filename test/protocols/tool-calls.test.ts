// `completion.tool_calls`: what a reply calls, told apart call by call, in both protocols, whole and streamed, in every
// chunking; and replies that say it in ways on which clients differ.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen, whole as inOne } from '../kernel/test-filter.ts';
import { anthropic, type Call, openai, sse, wire } from './calling.ts';
import { type Cut, cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

const IBAN = 'DE89 3704 0044 0532 0130 00';
const BASE = POLICY.slice(0, POLICY.indexOf('rule mask_personal'));

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(`${BASE}
rule no_transfers on completion
  where some call in completion.tool_calls has (call.name contains "swift_" and call.text contains iban)
  deny "no transfer to an account"
rule no_search on completion
  where some call in completion.tool_calls has (call.name is "search" and call.text contains iban including restored)
  deny "a search for an account"
rule known_tools on completion
  where not (every call in completion.tool_calls has (call.name is one of ("swift_pay", "search", "note")))
  deny "an unknown tool"
`);
});

/** Every character of an inner string as an escape. */
const escaped = (text: string): string =>
  [...text].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

const denied = (seen: Seen): string | null => (seen.status === 200 ? null : seen.got);

describe.each([
  ['OpenAI chat completions', openai],
  ['Anthropic messages', anthropic],
] as const)('%s', (_, { request, whole, stream }) => {
  describe.each([
    ['whole', whole],
    ['streamed', stream],
  ] as const)('%s', (__, reply) => {
    const ask = (calls: readonly Call[], cut: Cut = inOne): Seen =>
      run(filter, { ...request, upstream: reply(calls), cut });

    test('the call that does both is denied, in every chunking', () => {
      const calls = [
        { name: 'search', arguments: { for: 'x' } },
        { name: 'swift_pay', arguments: { to: IBAN } },
      ];
      for (const [name, cut] of [...cuts(0, 5), ['as it comes', inOne] as const]) {
        const seen = ask(calls, cut);
        expect([name, denied(seen)]).toEqual([name, expect.stringContaining('no transfer to an account')]);
        expect(seen.got).not.toContain('3704');
      }
    });

    test('what one call and what the text beside it say is not said of another', () => {
      const seen = ask([
        { name: 'note', arguments: { text: IBAN } },
        { name: 'swift_pay', arguments: { to: 'a shop' } },
      ]);
      expect(denied(seen)).toBe(null);
      expect(seen.got).toBe(
        reply([
          { name: 'note', arguments: { text: IBAN } },
          { name: 'swift_pay', arguments: { to: 'a shop' } },
        ]).body,
      );
    });

    test('a tool that the policy does not know is denied, and no call at all is fine', () => {
      expect(
        denied(
          ask([
            { name: 'search', arguments: {} },
            { name: 'rm', arguments: {} },
          ]),
        ),
      ).toContain('an unknown tool');
      expect(denied(ask([]))).toBe(null);
    });

    test('a value that came in the prompt is none of the call, unless the rule wants those too', () => {
      const prompt = { ...request, body: request.body.replace('"pay"', `"pay ${IBAN}"`) };
      const calls = (name: string): Seen =>
        run(filter, { ...prompt, upstream: reply([{ name, arguments: { to: IBAN } }]) });
      expect(denied(calls('swift_pay'))).toBe(null);
      expect(denied(calls('note'))).toBe(null);
      expect(denied(calls('search'))).toContain('a search for an account');
    });

    test('nested, and behind escapes', () => {
      expect(denied(ask([{ name: 'swift_pay', arguments: { a: [{ b: { c: IBAN } }] } }]))).toContain('no transfer');
    });
  });
});

describe('calls that clients read in different ways', () => {
  const reply = (calls: string, more = ''): Seen =>
    run(filter, {
      ...openai.request,
      upstream: {
        body: `{"id":"c","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":${calls}}}${more}]}`,
      },
    });
  const unread = 'known_tools';

  test('a name in escapes is the name', () => {
    expect(
      denied(
        reply(
          `[{"id":"a","type":"function","function":{"name":"${escaped('swift_pay')}","arguments":"{\\"to\\":\\"${escaped(IBAN).replaceAll('\\', '\\\\')}\\"}"}}]`,
        ),
      ),
    ).toContain('no transfer');
  });

  test('a call without a name fails what reads the calls', () => {
    expect(denied(reply('[{"id":"a","type":"function","function":{"arguments":"{}"}}]'))).toContain(unread);
    expect(denied(reply('[{"id":"a","type":"function","function":{"name":"","arguments":"{}"}}]'))).toContain(unread);
  });

  test('a block (Anthropic) that is a call and has no name, and arguments of no call', () => {
    const block = (name: object): Seen =>
      run(filter, {
        ...anthropic.request,
        upstream: {
          body: wire({
            id: 'm',
            type: 'message',
            role: 'assistant',
            content: [{ type: 'tool_use', id: 't', ...name, input: {} }],
            stop_reason: 'tool_use',
          }),
        },
      });
    expect(denied(block({ name: 'note' }))).toBe(null);
    expect(denied(block({}))).toContain(unread);
    const streamed = (start: readonly object[]): Seen =>
      run(filter, {
        ...anthropic.request,
        upstream: sse(
          [
            { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [], usage: {} } },
            ...start,
            { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } },
            { type: 'content_block_stop', index: 0 },
            { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 3 } },
            { type: 'message_stop' },
          ].map(wire),
        ),
      });
    const opens = (name: object): object => ({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 't', ...name, input: {} },
    });
    expect(denied(streamed([opens({ name: 'note' })]))).toBe(null);
    expect(denied(streamed([opens({})]))).toContain(unread);
    expect(denied(streamed([]))).toContain(unread);
  });

  test('a call of a second choice counts', () => {
    expect(
      denied(
        reply(
          '[]',
          ',{"index":1,"finish_reason":"tool_calls","message":{"role":"assistant","tool_calls":[{"id":"b","type":"function","function":{"name":"rm","arguments":"{}"}}]}}',
        ),
      ),
    ).toContain('an unknown tool');
  });

  test('a name in pieces, or said twice', () => {
    const named = (...names: readonly string[]): Seen =>
      run(filter, {
        ...openai.request,
        upstream: sse(
          [
            ...names.map((name) =>
              wire({ id: 'c', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name } }] } }] }),
            ),
            wire({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
          ],
          '[DONE]',
        ),
      });
    expect(denied(named('search'))).toBe(null);
    expect(denied(named('search', ''))).toBe(null);
    expect(denied(named('sea', 'rch'))).toContain(unread);
    expect(denied(named('search', 'search'))).toContain(unread);
  });

  test('more calls than are told apart', () => {
    const calls = (count: number): string =>
      `[${Array.from({ length: count }, () => '{"function":{"name":"note","arguments":"{}"}}').join()}]`;
    expect(denied(reply(calls(1_024)))).toBe(null);
    expect(denied(reply(calls(1_025)))).toContain(unread);
  });

  test('those of the history are none of the reply', () => {
    const seen = run(filter, {
      path: '/v1/chat/completions',
      body: wire({
        model: 'gpt-4o',
        messages: [
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'a', type: 'function', function: { name: 'rm', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'a', content: 'done' },
        ],
      }),
      upstream: openai.whole([]),
    });
    expect(denied(seen)).toBe(null);
  });
});
