// Rules on calls of tools: each call is decided by its name and arguments; a dropped one leaves the reply as if it had
// never been, a denied one ends it. In both protocols, whole and streamed, in every chunking.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen, whole as inOne } from '../kernel/test-filter.ts';
import { anthropic, type Call, openai, sse, wire } from './calling.ts';
import { type Cut, cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

const IBAN = 'DE89 3704 0044 0532 0130 00';
const BASE = POLICY.slice(0, POLICY.indexOf('rule mask_personal'));
const RULES = `
tool pay "pay_*" {
  amount: money from argument "amount"
  to: text from argument "to" else "nobody"
}
tool mail "send_mail" {
  recipients: set of text from argument "to"
}
rule large_payments "No large payments by a model"
  on tool call to pay
  where tool.amount is above 100 usd
  drop call
rule unwelcome on tool call to pay where tool.to is "mallory" deny "Mallory is not paid"
rule mail_at_home on tool call to mail unless tool.recipients is subset of caller.groups deny "Mail stays in the house"
rule no_accounts on tool call where text contains iban drop call
rule no_shell on tool call where tool.name is one of ("shell", "exec") deny "No shell"
`;

let filter: Filter;
let strict: Filter;
beforeAll(async () => {
  filter = await filterOf(`${BASE}${RULES}`);
  strict = await filterOf(
    `${BASE.replace('default completion: allow', 'default completion: allow\n  default tool call: deny')}
tool search "search" {}
rule searches on tool call to search allow`,
  );
});

const pay = (amount: unknown, to = 'alice'): Call => ({ name: 'pay_now', arguments: { amount, to } });
const note: Call = { name: 'note', arguments: { text: 'x' } };
const denied = (seen: Seen): string | null => (seen.status === 200 ? null : seen.got);

describe.each([
  ['OpenAI chat completions', openai],
  ['Anthropic messages', anthropic],
] as const)('%s', (_, protocol) => {
  const { request, whole, stream } = protocol;
  const ask = (calls: readonly Call[], reply = whole, cut: Cut = inOne, on = filter): Seen =>
    run(on, { ...request, upstream: reply(calls), cut });

  describe.each([
    ['whole', whole, (seen: Seen) => seen.status !== 200],
    ['streamed', stream, (seen: Seen) => !seen.got.includes('pay_now')],
  ] as const)('%s', (__, reply, isRefused) => {
    test('what no rule speaks against passes as it came', () => {
      for (const calls of [[pay(100)], [note], [note, pay(99.999_999), note], []])
        expect(ask(calls, reply).got).toBe(reply(calls).body);
    });

    test('a denied call ends the reply, and nothing of it leaves', () => {
      const seen = ask([note, pay(5, 'mallory')], reply);
      expect(seen.got).toContain('Mallory is not paid');
      expect(isRefused(seen)).toBe(true);
      expect(seen.got).not.toContain('mallory');
    });

    test('a tool of no declaration is decided by the rules for every call', () => {
      expect(ask([{ name: 'shell', arguments: {} }], reply).got).toContain('No shell');
    });

    test('a set in the arguments', () => {
      expect(ask([{ name: 'send_mail', arguments: { to: ['x@y.example'] } }], reply).got).toContain('in the house');
      expect(ask([{ name: 'send_mail', arguments: { to: [] } }], reply).got).not.toContain('in the house');
    });

    test('what is absent fails, unless it has an else', () => {
      expect(ask([{ name: 'pay_now', arguments: { to: 'alice' } }], reply).got).toContain('large_payments');
      expect(ask([{ name: 'pay_now', arguments: { amount: 1 } }], reply).got).toContain('pay_now');
    });

    test('what is not of its type fails', () => {
      for (const amount of ['1', null, [1], 1e-7, 1e300])
        expect(ask([pay(amount)], reply).got).toMatch(/large_payments|cannot be read/);
    });

    test('by default deny only what is allowed passes', () => {
      expect(ask([note], reply, inOne, strict).got).toContain('no rule of the policy allows this');
      const calls = [{ name: 'search', arguments: {} }];
      expect(ask(calls, reply, inOne, strict).got).toBe(reply(calls).body);
    });
  });

  test('a dropped call is as if it had never been: whole', () => {
    const parsed = (seen: Seen): unknown => JSON.parse(seen.got);
    for (const at of [0, 1, 2]) {
      const calls = [note, note, note].toSpliced(at, 0, pay(101));
      const left = parsed(ask(calls)) as { choices?: unknown; content?: unknown };
      const names = JSON.stringify(left).match(/"name":"[a-z_]+"/g);
      expect(names).toEqual(['"name":"note"', '"name":"note"', '"name":"note"']);
    }
    const none = ask([pay(101), pay(1_000)]).got;
    expect(none).not.toContain('pay_now');
    expect(none).not.toContain('tool_calls');
    expect(none).not.toContain('tool_use');
    expect(none).toContain(request === openai.request ? '"finish_reason":"stop"' : '"stop_reason":"end_turn"');
    expect(parsed(ask([pay(101)]))).toBeTruthy();
  });

  test('a dropped call is as if it had never been: streamed, in every chunking', () => {
    const calls = [note, pay(101), { name: 'note', arguments: { text: IBAN } }, pay(3)];
    const expected = ask([note, pay(3)], stream)
      .got.replaceAll('call_1', 'call_3')
      .replaceAll('"t1"', '"t3"');
    for (const [name, cut] of cuts(0, 5)) expect([name, ask(calls, stream, cut).got]).toEqual([name, expected]);
  });

  test('none left: the stream ends as one that called nothing', () => {
    const seen = ask([pay(101), pay(102)], stream);
    expect(seen.got).not.toContain('pay_now');
    expect(seen.got).not.toContain('"finish_reason":"tool_calls"');
    expect(seen.got).not.toContain('"stop_reason":"tool_use"');
    expect(seen.got).toContain(request === openai.request ? '"finish_reason":"stop"' : '"stop_reason":"end_turn"');
    expect(seen.got).toContain('about it');
  });

  test('each decision is recorded, without a value', () => {
    const { records } = ask([note, pay(101)]);
    expect(records.map(({ event, outcome }) => [event, outcome])).toEqual([
      ['prompt', 'allow'],
      ['completion', 'allow'],
      ['tool_call', 'allow'],
      ['tool_call', 'deny'],
    ]);
    expect(records.at(-1)!.reasons).toEqual([{ kind: 'withheld', rule: 'large_payments' }]);
  });
});

describe('arguments that readers differ on', () => {
  const reply = (given: string): Seen =>
    run(filter, {
      ...openai.request,
      upstream: {
        body: `{"id":"c","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"pay_now","arguments":${JSON.stringify(given)}}}]}}]}`,
      },
    });

  test.each([
    ['no JSON', '{"amount":1'],
    ['nothing', ''],
    ['no object', '[1]'],
    ['a key twice', '{"amount":1,"amount":1}'],
    ['something behind', '{"amount":1}{"amount":1000}'],
    ['another number form', '{"amount":0x1}'],
  ])('%s fails what reads them', (_, given) => {
    expect(denied(reply(given))).toContain('large_payments');
  });

  test('a key in escapes is the key', () => {
    expect(reply('{"\\u0061mount":101}').got).not.toContain('pay_now');
    expect(denied(reply('{"\\u0061mount":101}'))).toBe(null);
  });

  test('a call without a name, or named twice, is refused whatever the rules say', () => {
    const body = (names: readonly string[]): Seen =>
      run(strict, {
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
    expect(body(['search']).got).toContain('"name":"search"');
    expect(body(['sea', 'rch']).got).toContain('that everybody reads alike');
    expect(body(['sea', 'rch']).got).not.toContain('rch"');
    expect(body(['']).got).toContain('that everybody reads alike');
  });

  test('a call in the old form is refused', () => {
    const old = (call: unknown): Seen =>
      run(filter, {
        ...openai.request,
        upstream: {
          body: wire({
            id: 'c',
            choices: [
              { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'x', function_call: call } },
            ],
          }),
        },
      });
    expect(denied(old(null))).toBe(null);
    expect(denied(old({ name: 'pay_now', arguments: '{"amount":101}' }))).toContain('cannot be read');
  });

  test('longer arguments than are read fail', () => {
    const seen = reply(JSON.stringify({ amount: 1, memo: 'x'.repeat(1 << 20) }));
    expect(denied(seen)).toContain('large_payments');
  });
});

describe('a stream that is not held whole', () => {
  test('text before a call leaves before the call is whole', () => {
    const body = String(openai.stream([pay(1)]).body);
    const events = body.split('\n\n').slice(0, 4).join('\n\n');
    const seen = run(filter, { ...openai.request, upstream: { type: 'text/event-stream', body: `${events}\n\n` } });
    expect(seen.got).toContain('about it');
  });

  test('two calls of one event, of which one is dropped', () => {
    const event = (calls: readonly object[], more: object = {}): string =>
      wire({ id: 'c', choices: [{ index: 0, delta: { role: 'assistant', tool_calls: calls }, ...more }] });
    const call = (index: number, name: string, given: string): object => ({
      index,
      id: `call_${index}`,
      type: 'function',
      function: { name, arguments: given },
    });
    const both = [call(0, 'pay_now', '{"amount":101}'), call(1, 'note', '{}')];
    const upstream = sse(
      [event(both), wire({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] })],
      '[DONE]',
    );
    const seen = run(filter, { ...openai.request, upstream });
    const [first] = seen.got.split('\n\n');
    expect(JSON.parse(first!.slice(6)).choices[0].delta.tool_calls).toEqual([{ ...call(1, 'note', '{}'), index: 0 }]);
    expect(seen.got).toContain('"finish_reason":"tool_calls"');
  });

  test('a piece of a call that is decided already is refused', () => {
    const piece = (given: string): string =>
      wire({ id: 'c', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: given } }] } }] });
    const name = wire({
      id: 'c',
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'pay_now' } }] } }],
    });
    const end = wire({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] });
    const seen = run(filter, {
      ...openai.request,
      upstream: sse([name, piece('{"amount":1'), end, piece('00}')], '[DONE]'),
    });
    expect(seen.got).toContain('large_payments');
    const after = run(filter, {
      ...openai.request,
      upstream: sse([name, piece('{"amount":1}'), end, piece('0')], '[DONE]'),
    });
    expect(after.got).not.toContain('"arguments":"0"');
  });
});
