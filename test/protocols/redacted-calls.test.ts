// What rules on calls of tools redact: in the arguments of the calls that they fire on, and in nothing else. In both
// protocols, whole and streamed, in every chunking; the arguments stay JSON.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen, whole as inOne } from '../kernel/test-filter.ts';
import { anthropic, type Call, openai, sse, wire } from './calling.ts';
import { type Cut, cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

const BASE = POLICY.slice(0, POLICY.indexOf('rule mask_personal'));
const TOOLS = `
tool mail "send_mail" { to: text from argument "to" else "nobody" }
tool any_mail "send_*" {}
`;
const RULES = `${TOOLS}
rule addresses on tool call to mail unless tool.to is "dpo@acme.example" redact email as mask redact payment_card as mask
rule last_four on tool call to any_mail redact payment_card as mask keeping last 4
rule staff on tool call where tool.name is "lookup" redact employee_id as remove
rule no_accounts on tool call to any_mail where text contains iban drop call
`;
const CARD = '4111 1111 1111 1111';

let filter: Filter;
let both: Filter;
let held: Filter;
beforeAll(async () => {
  filter = await filterOf(`${BASE}${RULES}`);
  both = await filterOf(`${BASE}${TOOLS}
rule everywhere on completion redact email as mask keeping last 4 redact payment_card as mask keeping last 4
rule addresses on tool call to mail redact email as mask`);
  held = await filterOf(`${BASE}${RULES}rule whole on completion buffer`);
});

const mail = (fields: object): Call => ({ name: 'send_mail', arguments: fields });
const note = (text: string): Call => ({ name: 'note', arguments: { text } });

/** The arguments of each call that the client is left with, read as a client reads them. */
function argumentsOf({ got }: Seen): readonly unknown[] {
  if (!got.startsWith('data:')) {
    const reply = JSON.parse(got) as {
      readonly content?: readonly { readonly input?: unknown }[];
      readonly choices?: readonly {
        readonly message: { readonly tool_calls?: readonly { readonly function: { readonly arguments: string } }[] };
      }[];
    };
    return reply.choices !== undefined
      ? (reply.choices[0]!.message.tool_calls ?? []).map((call) => JSON.parse(call.function.arguments) as unknown)
      : (reply.content ?? []).flatMap(({ input }) => (input === undefined ? [] : [input]));
  }
  interface Event {
    readonly index?: number;
    readonly delta?: { readonly partial_json?: string };
    readonly choices?: readonly {
      readonly delta: {
        readonly tool_calls?: readonly {
          readonly index: number;
          readonly function?: { readonly arguments?: string };
        }[];
      };
    }[];
  }
  const texts = new Map<number, string>();
  const add = (at: number, text = ''): unknown => texts.set(at, (texts.get(at) ?? '') + text);
  for (const line of got.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { index, delta, choices } = JSON.parse(line.slice(6)) as Event;
    if (delta?.partial_json !== undefined) add(index ?? 0, delta.partial_json);
    for (const call of choices?.[0]?.delta.tool_calls ?? []) add(call.index, call.function?.arguments);
  }
  return [...texts.keys()].sort((a, b) => a - b).map((at) => JSON.parse(texts.get(at)!) as unknown);
}

describe.each([
  ['OpenAI chat completions', openai],
  ['Anthropic messages', anthropic],
] as const)('%s', (_, protocol) => {
  const { request, whole, stream } = protocol;
  const ask = (calls: readonly Call[], reply = whole, cut: Cut = inOne, on = filter): Seen =>
    run(on, { ...request, upstream: reply(calls), cut });

  describe.each([
    ['whole', whole, () => filter],
    ['streamed', stream, () => filter],
    ['streamed, and held', stream, () => held],
  ] as const)('%s', (__, reply, on) => {
    test('in the calls that the rule fires on, and in no other', () => {
      const calls = [note('x@acme.example'), mail({ to: 'x@acme.example', body: `pay ${CARD}` }), note(CARD)];
      expect(argumentsOf(ask(calls, reply, inOne, on()))).toEqual([
        { text: 'x@acme.example' },
        { to: '[EMAIL]', body: 'pay [PAYMENT_CARD]' },
        { text: CARD },
      ]);
    });

    test('by what its arguments say', () => {
      const given = { to: 'dpo@acme.example', cc: 'y@acme.example' };
      expect(argumentsOf(ask([mail(given)], reply, inOne, on()))).toEqual([given]);
    });

    test('of all tools that it is of the strongest mode counts', () => {
      const other = { name: 'send_note', arguments: { text: CARD } };
      const [first, second] = argumentsOf(ask([other, mail({ text: CARD })], reply, inOne, on()));
      expect(first).toEqual({ text: '[PAYMENT_CARD ending in 1111]' });
      expect(second).toEqual({ text: '[PAYMENT_CARD]' });
    });

    test('in lists, objects and escapes, and what is removed leaves its string', () => {
      const found = { who: ['EMP-123456', { deep: 'a EMP-654321 b' }], n: 1 };
      expect(argumentsOf(ask([{ name: 'lookup', arguments: found }], reply, inOne, on()))).toEqual([
        { who: ['', { deep: 'a  b' }], n: 1 },
      ]);
    });

    test('beside a call that is dropped', () => {
      const dropped = mail({ body: 'DE89 3704 0044 0532 0130 00' });
      expect(argumentsOf(ask([dropped, mail({ body: 'x@acme.example' })], reply, inOne, on()))).toEqual([
        { body: '[EMAIL]' },
      ]);
    });

    test('what stands in a number is refused', () => {
      const { got } = ask([mail({ card: 4111111111111111 })], reply, inOne, on());
      expect(got).toContain('redact');
      expect(got).not.toContain('4111111111111111');
    });

    test('the record says what was asked for, and no value', () => {
      const { records } = ask([mail({ to: 'x@acme.example' })], reply, inOne, on());
      const calls = JSON.stringify(records.filter(({ event }) => event === 'tool_call'));
      expect(calls).toContain('"detector":"email","as":"mask","includingRestored":false,"rules":["addresses"]');
      expect(JSON.stringify(records)).not.toContain('x@acme');
    });
  });

  test('in every chunking the same', () => {
    const calls = [note('x@acme.example'), mail({ to: 'x@acme.example', body: `pay ${CARD} now` }), note('z')];
    const expected = ask(calls, stream).got;
    expect(argumentsOf(ask(calls, stream))).toEqual(argumentsOf(ask(calls)));
    for (const [name, cut] of cuts(0, 5)) expect([name, ask(calls, stream, cut).got]).toEqual([name, expected]);
  });

  test.each([
    ['whole', whole],
    ['streamed', stream],
  ] as const)('with the rules of completions the strongest mode counts: %s', (__, reply) => {
    const calls = [note('write to x@acme.example'), mail({ to: 'x@acme.example', card: CARD })];
    const [first, second] = argumentsOf(ask(calls, reply, inOne, both));
    expect(first).toEqual({ text: expect.stringMatching(/^write to \[EMAIL ending in mple\]$/) });
    expect(second).toEqual({ to: '[EMAIL]', card: '[PAYMENT_CARD ending in 1111]' });
  });
});

describe('one call as it is written', () => {
  const reply = (given: string, name = 'send_mail', content = 'pay'): Seen =>
    run(filter, {
      ...openai.request,
      body: wire({ model: 'gpt-4o', messages: [{ role: 'user', content }] }),
      upstream: {
        body: `{"id":"c","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":${JSON.stringify(name)},"arguments":${JSON.stringify(given)}}}]}}]}`,
      },
    });

  test('an escape is the letter that it stands for', () => {
    expect(argumentsOf(reply('{"to":"x\\u0040acme.example"}'))).toEqual([{ to: '[EMAIL]' }]);
  });

  test('what the caller sent themselves stays', () => {
    const given = '{"to":"x@acme.example"}';
    expect(reply(given, 'send_mail', 'write to x@acme.example').got).toContain('x@acme.example');
    expect(reply(given, 'send_mail', 'write to y@acme.example').got).not.toContain('x@acme.example');
  });

  test('a value in the name of the tool is refused, whole and streamed', () => {
    const name = 'send_x@acme.example';
    const asked = `${TOOLS}rule all on tool call to any_mail redact email as mask`;
    return filterOf(`${BASE}${asked}`).then((strict) => {
      for (const answer of [openai.whole, openai.stream]) {
        const { got } = run(strict, { ...openai.request, upstream: answer([{ name, arguments: { to: 'x' } }]) });
        expect(got).toContain('redact');
        expect(got).not.toContain(name);
      }
    });
  });

  test('arguments that begin in one event and end in another', () => {
    const piece = (given: string): string =>
      wire({ id: 'c', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: given } }] } }] });
    const begin = wire({
      id: 'c',
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'send_mail' } }] } }],
    });
    const end = wire({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    const seen = run(filter, {
      ...openai.request,
      upstream: sse([begin, piece('{"to":"x@ac'), piece('me.exam'), piece('ple","n":1}'), end], '[DONE]'),
    });
    expect(argumentsOf(seen)).toEqual([{ to: '[EMAIL]', n: 1 }]);
  });
});
