// A prompt that a rule holds, as the kernel sees it: what it asks the queue of reviews, and what it does with each answer.
// The queue itself is tested in test/control-plane, both together on the real Envoy in test/e2e.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Ruling } from '../../filters/door/session-port.ts';
import type { HeldRequest } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { random } from '../protocols/chunking.ts';
import { type Exchange, filterOf, KEYS, run, type Seen } from './test-filter.ts';

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
caller { id : text from claim "sub"  dept : optional text from claim "dept" }
model small "gpt-small" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
model large "gpt-large" { provider: openai input_price: 2 usd per 1M tokens output_price: 2 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
reviewers legal from group "legal-review"
reviewers security from group "sec"
rule contracts on prompt where text contains any of ("contract") hold for review by 1 of legal up to 4 hours else deny
rule ibans on prompt where text contains iban hold for review by 2 of security up to 30 minutes else deny
rule secret on prompt where text contains any of ("secret") deny "No secrets"
rule cards on prompt redact payment_card as placeholder
`;
const filter = await filterOf(POLICY);
const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const TICKET = '0123456789abcdef0123456789abcdef';

const body = (...contents: readonly string[]): string =>
  JSON.stringify({ model: 'gpt-small', messages: contents.map((content) => ({ role: 'user', content })) });
const headers = (extra: readonly (readonly [string, string])[] = []): NonNullable<Exchange['headers']> => [
  ['authorization', 'Bearer key-1'],
  ['content-type', 'application/json'],
  ...extra,
];

/** The request that was asked about, and what became of it. */
function ask(exchange: Exchange, ruling: Partial<Ruling> = {}): { readonly held: HeldRequest; readonly seen: Seen } {
  let held: HeldRequest | undefined;
  const seen = run(filter, {
    ...exchange,
    review: (request) => {
      held = request;
      return { state: 'pending', ticket: TICKET, seconds: 10, ...ruling };
    },
  });
  if (held === undefined) throw new Error(`nothing was asked: ${seen.got}`);
  return { held, seen };
}

test('what no rule holds is not asked about, and a deny wins over a hold', () => {
  const review = (): Ruling => {
    throw new Error('asked');
  };
  expect(run(filter, { body: body('hello'), review }).sent).not.toBeNull();
  const denied = run(filter, { body: body('a secret contract'), review });
  expect(denied.status).toBe(403);
  expect(denied.records[0]).toMatchObject({ outcome: 'deny', holds: [] });
});

test('a held request gets a ticket, in the form of its protocol, and its decision says who must approve', () => {
  const { held, seen } = ask({ body: body('sign the contract') });
  expect(seen.sent).toBeNull();
  expect(seen.status).toBe(202);
  expect(JSON.parse(seen.got)).toMatchObject({ error: { type: 'held_for_review', code: 'writ_held' } });
  expect(seen.gotHeaders).toContainEqual(['x-writ-ticket', TICKET]);
  expect(seen.gotHeaders).toContainEqual(['retry-after', '10']);
  const holds = [{ rule: 'contracts', reviewers: 'legal', approvals: 1, milliseconds: 14_400_000 }];
  expect(seen.records[0]).toMatchObject({ outcome: 'hold', holds, outputTokens: 256 });
  expect(held).toMatchObject({ ticket: '', callerId: 'u1', model: 'small', cut: false });
  expect(held.holds).toMatchObject([{ ...holds[0], group: 'legal-review', milliseconds: 14_400_000n }]);
});

test('holds unite', () => {
  const { held } = ask({ body: body(`contract, ${IBAN}`) });
  expect(held.holds.map(({ rule, approvals }) => [rule, approvals])).toEqual([
    ['contracts', 1],
    ['ibans', 2],
  ]);
});

test('every value that is found is masked in what reviewers see, redacted or not, escaped or not', () => {
  const text = `contract "${CARD}"\n\u00e4 ${IBAN}`;
  const { held } = ask({
    body: `{"model":"gpt-small","messages":[{"content":${JSON.stringify(text).replace('4111', '\\u0034111')},"role":"system"},{"role":"user","content":"ok"}]}`,
  });
  expect(JSON.parse(held.messages)).toEqual([
    { role: 'system', content: 'contract "[PAYMENT_CARD]"\n\u00e4 [IBAN]' },
    { role: 'user', content: 'ok' },
  ]);
});

test('a value over two parts of a message is masked in both, and a tool call is shown without its values', () => {
  const { held } = ask({
    body: JSON.stringify({
      model: 'gpt-small',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'contract 4111 1111 ' },
            { type: 'text', text: '1111 1111' },
          ],
        },
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'c1',
              type: 'function',
              function: { name: 'pay', arguments: JSON.stringify({ card: CARD, to: 'Jo' }) },
            },
          ],
        },
      ],
    }),
  });
  expect(held.messages).not.toContain('1111');
  const [first, second] = JSON.parse(held.messages) as { role: string; content: string }[];
  expect(first!.content).toContain('contract [PAYMENT_CARD]');
  expect(second).toMatchObject({ role: 'assistant' });
  expect(second!.content).toContain('[PAYMENT_CARD]');
  expect(second!.content).toContain('Jo');
});

test('numbers of a tool are shown where nothing is found in them', () => {
  const { held } = ask({
    path: '/v1/messages',
    body: JSON.stringify({
      model: 'gpt-small',
      max_tokens: 10,
      system: 'about a contract',
      messages: [
        { role: 'user', content: 'go' },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'a', name: 'pay', input: { amount: 12345678901, card: 4111111111111111 } }],
        },
      ],
    }),
    headers: headers([['anthropic-version', '2023-06-01']]),
  });
  expect(held.messages).not.toContain('4111111111111111');
  expect(held.messages).toContain('[MASKED]');
  expect(held.messages).toContain('12345678901');
  expect(JSON.parse(held.messages)).toContainEqual({ role: 'system', content: 'about a contract' });
});

test('what reviewers see is cut at 64 KiB, at a whole character, and says so', () => {
  for (const letter of ['x', 'ä', '€', '😀', '\n', '\u0001', '"']) {
    const { held } = ask({ body: body('contract', letter.repeat(40_000), 'last') });
    const messages = JSON.parse(held.messages) as { content: string }[];
    expect(Buffer.byteLength(held.messages)).toBeLessThanOrEqual(65_536);
    const isWhole = letter === 'x';
    expect(held.cut).toBe(!isWhole);
    expect(messages[1]!.content.replaceAll(letter, '')).toBe('');
  }
  const many = ask({ body: body('contract', ...Array.from({ length: 4_000 }, () => 'and')) });
  expect(many.held.cut).toBe(true);
  expect(Buffer.byteLength(many.held.messages)).toBeLessThanOrEqual(65_536);
  expect(JSON.parse(many.held.messages)).toBeInstanceOf(Array);
});

test('whatever a body is made of, what reviewers see is JSON without a value in it', () => {
  const pieces = [
    'contract ',
    CARD,
    IBAN,
    'a',
    '"',
    '\\',
    '\n',
    '\u0000',
    'é',
    '😀',
    ' ',
    '4111',
    '\\u',
    '}',
    '[PAYMENT_CARD]',
  ];
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)]!;
    const some = <T>(most: number, make: () => T): T[] => Array.from({ length: Math.floor(next() * most) }, make);
    // Apart from each other, so that each value is one.
    const text = (): string => `; ${some(8, () => pick(pieces)).join('; ')};`;
    /** As JSON, and as another client might write it: any letter or digit may be an escape. */
    const written = (said: string): string =>
      `"${[...said].map((c) => (next() < 0.1 && /[A-Za-z0-9]/.test(c) ? `\\u00${c.charCodeAt(0).toString(16)}` : JSON.stringify(c).slice(1, -1))).join('')}"`;
    const content = (): string =>
      next() < 0.5 ? written(text()) : `[${some(4, () => `{"type":"text","text":${written(text())}}`).join(',')}]`;
    const call = (): string =>
      `[{"id":"c","type":"function","function":{"name":"f","arguments":${written(JSON.stringify({ [`k${text()}`]: text(), n: 5 }))}}}]`;
    const message = (): string =>
      next() < 0.7
        ? `{"role":"${pick(['user', 'system', 'assistant'])}","content":${content()}}`
        : `{"tool_calls":${call()},"role":"assistant"}`;
    let held: HeldRequest | undefined;
    const seen = run(filter, {
      body: `{"model":"gpt-small","messages":[{"role":"user","content":"contract"},${[...some(6, message), message()].join(',')}]}`,
      review: (request) => {
        held = request;
        return { state: 'pending', ticket: TICKET, seconds: 1 };
      },
    });
    expect([seed, seen.status, seen.status === 202 ? '' : seen.got]).toEqual([seed, 202, '']);
    const shown = JSON.parse(held!.messages) as { role: string; content: string }[];
    const said = shown.map((each) => each.content).join(' ');
    expect([seed, said.includes(CARD), said.includes(IBAN)]).toEqual([seed, false, false]);
    expect([seed, held!.cut, shown[0]]).toEqual([seed, false, { role: 'user', content: 'contract' }]);
  }
});

test('an approved request goes on as if it had been allowed: redacted, and without the ticket', () => {
  const { held, seen } = ask(
    { body: body(`contract ${CARD}`), headers: headers([['x-writ-ticket', TICKET]]) },
    { state: 'approved', ticket: '' },
  );
  expect(held).toMatchObject({ ticket: TICKET, messages: '' });
  expect(seen.sent).toContain('contract [PAYMENT_CARD_1_');
  expect(seen.sent).not.toContain('4111');
  expect(seen.removed).toContain('x-writ-ticket');
  expect(seen.route).toBe('model/small');
});

test.each([
  ['rejected', 403, 'rejected'],
  ['expired', 403, 'is over'],
  ['used', 403, 'used already'],
  ['unknown', 403, 'not for this request'],
  ['caller_full', 429, 'too many'],
  ['queue_full', 503, 'too many'],
  ['unreachable', 503, 'cannot be reached'],
] as const)('%s: nothing goes on, and the client is told why', (state, status, said) => {
  const { seen } = ask({ body: body('contract') }, { state, ticket: '' });
  expect(seen.sent).toBeNull();
  expect(seen.status).toBe(status);
  expect(seen.got).toContain(said);
});

test('an answer that makes no sense approves nothing', () => {
  const { seen } = ask({ body: body('contract') }, { ticket: 'short' });
  expect(seen.status).toBe(503);
});

test('a ticket that is none is refused before anything is read', () => {
  for (const ticket of ['', 'x', TICKET.toUpperCase(), `${TICKET}0`])
    expect(run(filter, { body: body('hi'), headers: headers([['x-writ-ticket', ticket]]) }).status).toBe(400);
});

test('a request is bound to its caller, body, model, policy and holding rules, and to nothing that changes with a token', async () => {
  const binding = (exchange: Partial<Exchange> = {}, of = filter): string => {
    let bound = '';
    run(of, {
      body: body('contract'),
      review: (held) => {
        bound = Buffer.from(held.binding).toString('hex');
        return { state: 'pending', ticket: TICKET, seconds: 1 };
      },
      ...exchange,
    });
    expect(bound).toHaveLength(64);
    return bound;
  };
  const jwt = { iss: 'https://i', sub: 'u1' };
  const plain: NonNullable<Exchange['headers']> = [['content-type', 'application/json']];
  const first = binding();
  expect(binding()).toBe(first);
  expect(binding({ nowMs: 1_770_000_000_000 })).toBe(first);
  const others = [
    binding({ body: body('contract ') }),
    binding({ body: body('contract').replace('gpt-small', 'gpt-large') }),
    binding({ body: body(`contract ${IBAN}`) }),
    binding({ headers: plain, jwt }),
    binding({ headers: plain, jwt: { ...jwt, sub: 'u2' } }),
    binding({ headers: plain, jwt: { ...jwt, iss: 'https://j' } }),
    binding({}, await filterOf(POLICY, [{ key: 'key-1', claims: { sub: 'u1' } }, ...KEYS.slice(1)])),
  ];
  // Claims that change are not the caller; the same key is.
  expect(others.at(-1)).toBe(first);
  expect(new Set([first, ...others.slice(0, -1)]).size).toBe(others.length);
  expect(binding({ headers: plain, jwt: { name: 'Jos"\u00e9', ...jwt, exp: 5, dept: 'hr' } })).toBe(others[3]);
});

test('a subject is what it says, however it is written', () => {
  const odd = ask({
    body: body('contract'),
    headers: [['content-type', 'application/json']],
    jwt: { sub: 'a"b\\c/é' },
  });
  expect(odd.held.callerId).toBe('a"b\\c/é');
});

test('a token without a subject cannot be told from others: nothing is held for it', () => {
  const seen = run(filter, {
    body: body('contract'),
    headers: [['content-type', 'application/json']],
    jwt: { id: 'x' },
  });
  expect(seen.status).toBe(403);
});

test('every question of one exchange has one name, and no other exchange has it', () => {
  const first = ask({ body: body('contract') }).held;
  const later = ask({ body: body('contract'), nowMs: 1_770_000_000_000 }).held;
  expect(Buffer.compare(first.exchange, later.exchange)).not.toBe(0);
  expect(first.caller).toEqual(later.caller);
  expect(Buffer.from(first.caller)).toEqual(
    createHash('sha256')
      .update(Buffer.concat([Buffer.of(3), createHash('sha256').update('key-1').digest()]))
      .digest(),
  );
});
