// What a model calls, through both doors: an upstream that answers in the documented shapes, whole and streamed, since
// the small model of the other tests calls nothing reliably. Edges stand in test/protocols/tool-calls.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Answered, keyCallers } from './key-callers.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const IBAN = 'DE89 3704 0044 0532 0130 00';
const callers = keyCallers(['staff']);

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule no_searched_accounts on completion
  where some call in completion.tool_calls has (call.name is "search" and call.text contains iban)
  deny "An account number is nothing to search for"
tool pay "pay_*" { amount: money from argument "amount" }
rule large on tool call to pay where tool.amount is above 100 usd drop call
rule addresses on tool call to pay redact email as mask
rule huge on tool call to pay where tool.amount is above 10_000 usd deny "Far too much"
`;

interface Call {
  readonly name: string;
  readonly arguments: object;
}

/** What the model calls next. */
let calls: readonly Call[] = [];

function whole(): string {
  return JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: {
          role: 'assistant',
          content: null,
          tool_calls: calls.map(({ name, arguments: given }, at) => ({
            id: `call_${at}`,
            type: 'function',
            function: { name, arguments: JSON.stringify(given) },
          })),
        },
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
  });
}

/** Each call's name, then its arguments in three pieces. */
function streamed(): readonly string[] {
  const event = (choice: object): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm-1', choices: [{ index: 0, ...choice }] })}\n\n`;
  return [
    event({ delta: { role: 'assistant', content: null } }),
    ...calls.flatMap(({ name, arguments: given }, index) => {
      const text = JSON.stringify(given);
      const call = (piece: object): string => event({ delta: { tool_calls: [{ index, ...piece }] } });
      return [
        call({ id: `call_${index}`, type: 'function', function: { name, arguments: '' } }),
        ...[text.slice(0, 9), text.slice(9, 17), text.slice(17)].map((piece) =>
          call({ function: { arguments: piece } }),
        ),
      ];
    }),
    event({ delta: {}, finish_reason: 'tool_calls' }),
    'data: [DONE]\n\n',
  ];
}

let upstream: Upstream;
let mesh: Mesh;

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    upstream = await startUpstream(({ body }) =>
      body.includes('"stream":true')
        ? { headers: { 'content-type': 'text/event-stream' }, body: streamed() }
        : { body: [whole()] },
    );
    const deployment = {
      models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
      identity: { apiKeys: callers.apiKeys() },
    };
    const { plan, wasm } = await policyWasm(POLICY, deployment);
    mesh = await startMesh({ plan, deployment, wasm, door, loadFilter });
  });

  afterAll(async () => {
    await mesh?.stop();
    await upstream?.stop();
  });

  const ask = (said: readonly Call[], fields: object): Promise<Answered> => {
    calls = said;
    return callers.ask(mesh.url, 'staff', 'do what is to be done', fields);
  };

  describe.each([
    ['whole', {}],
    ['streamed', { stream: true }],
  ] as const)('%s', (_, fields) => {
    test('what one call says is not said of another', async () => {
      const { status, said } = await ask(
        [
          { name: 'search', arguments: { for: 'shops' } },
          { name: 'note', arguments: { text: IBAN } },
        ],
        fields,
      );
      expect(status).toBe(200);
      expect(said).toContain('"name":"note"');
    });

    test('a dropped call leaves the others as if it had never been', async () => {
      const large = { name: 'pay_now', arguments: { amount: 250 } };
      const small = { name: 'pay_later', arguments: { amount: 99.5 } };
      const some = await ask([large, small], fields);
      expect(some.status).toBe(200);
      expect(some.said).not.toContain('pay_now');
      expect(some.said).toContain('"name":"pay_later"');
      expect(some.said).not.toContain('"index":1');
      expect(some.said).toContain('"finish_reason":"tool_calls"');
      const none = await ask([large], fields);
      expect(none.said).not.toContain('tool_calls');
      expect(none.said).toContain('"finish_reason":"stop"');
    });

    test('what a rule redacts in one call stays in another', async () => {
      const { status, said } = await ask(
        [
          { name: 'pay_now', arguments: { amount: 1, to: 'ann@customer.example' } },
          { name: 'note', arguments: { text: 'bob@customer.example' } },
        ],
        fields,
      );
      expect(status).toBe(200);
      expect(said).toContain('[EMAIL]');
      expect(said).not.toContain('ann@');
      expect(said).toContain('bob@cust');
    });

    test('a denied one ends the answer, and so does one whose amount nobody can read', async () => {
      for (const amount of [10_001, 'much', undefined]) {
        const { said } = await ask([{ name: 'pay_now', arguments: { amount } }], fields);
        expect(said).toMatch(/Far too much|something that a rule reads is not known/);
        expect(said).not.toContain('pay_now');
      }
    });

    test('the call that a rule denies reaches nobody', async () => {
      const { status, said } = await ask([{ name: 'search', arguments: { for: IBAN } }], fields);
      expect(status).toBe(403);
      expect(said).toContain('An account number is nothing to search for');
      expect(said).not.toContain('3704');
    });
  });

  test('the log names the rule, not the value', async () => {
    const path = join(mesh.stateFolder, 'decisions.log');
    const log = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await settles(() => log().includes('no_searched_accounts'));
    expect(log()).not.toContain('3704');
  });
});
