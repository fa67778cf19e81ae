// What a rule keeps of an exchange, as the kernel tells it: who draws, what is masked, what is cut, and that nothing of the
// exchange changes for it. What becomes of it is tested in test/control-plane, both together on the real Envoy in test/e2e.
import { expect, test } from 'vitest';
import type { KeptExchange } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { random } from '../protocols/chunking.ts';
import { type Exchange, filterOf, run, type Seen, type Upstream } from './test-filter.ts';

const head = (completion = 'allow'): string => `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: ${completion}
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
model small "gpt-small" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 1_000_000 tokens max_output: 256 tokens }
reviewers quality from group "quality-review"
reviewers safety from group "safety-review"
rule secret on prompt where text contains any of ("secret") deny "No secrets"
rule cards on prompt redact payment_card as placeholder
rule mails on completion redact email as mask
rule ibans on prompt where text contains iban tag seen = "iban"
`;
const DRAWN = 'rule quality on prompt sample 20 percent for review by quality\n';
const ALL = 'rule quality on prompt sample 100 percent for review by quality\n';
const REPLIES = 'rule leaks on completion where text contains iban sample 100 percent for review by safety\n';

const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const MAIL = 'jo@acme.example';
const body = (content: string, stream = false): string =>
  JSON.stringify({ model: 'gpt-small', messages: [{ role: 'user', content }], ...(stream ? { stream } : {}) });
const reply = (...contents: readonly string[]): Upstream => ({
  body: JSON.stringify({
    object: 'chat.completion',
    choices: contents.map((content, index) => ({
      index,
      message: { role: 'assistant', content },
      finish_reason: 'stop',
    })),
  }),
});
interface Delta {
  readonly content?: string;
  readonly end?: boolean;
  readonly index?: number;
}
const events = (...deltas: readonly Delta[]): string =>
  [
    ...deltas.map(({ content, end, index = 0 }) =>
      JSON.stringify({
        object: 'chat.completion.chunk',
        choices: [{ index, delta: content === undefined ? {} : { content }, finish_reason: end ? 'stop' : null }],
      }),
    ),
    '[DONE]',
  ]
    .map((data) => `data: ${data}\n\n`)
    .join('');
const stream = (...deltas: readonly Delta[]): Upstream => ({ type: 'text/event-stream', body: events(...deltas) });

const all = await filterOf(head() + ALL);
const drawn = await filterOf(head() + DRAWN);
const replies = await filterOf(head() + REPLIES);
const none = await filterOf(head());

function kept(exchange: Exchange, filter = all): KeptExchange {
  const { kept: found, got } = run(filter, exchange);
  if (found === undefined) throw new Error(`nothing is kept: ${got}`);
  return found;
}
const said = (json: string): unknown => JSON.parse(json);

test('prompt and reply are kept, masked, and what passes is what passes without the rule', () => {
  const exchange = { body: body(`pay ${CARD} to ${IBAN}`), upstream: reply(`to ${MAIL}, from ${IBAN}`) };
  const found = kept(exchange);
  expect(said(found.prompt)).toEqual([{ role: 'user', content: 'pay [PAYMENT_CARD] to [IBAN]' }]);
  expect(said(found.reply)).toEqual([{ role: 'assistant', content: 'to [EMAIL], from [IBAN]' }]);
  expect(found).toMatchObject({ callerId: 'u1', model: 'small', cut: false, denied: false, atMs: 1_760_000_000_000n });
  expect(found.keeps).toMatchObject([{ rule: 'quality', reviewers: 'quality', group: 'quality-review' }]);
  expect(found.id).toHaveLength(16);
  const same = ({ sent, got, status, gotHeaders }: Seen) => ({ sent, got, status, gotHeaders });
  expect(same(run(all, exchange))).toEqual(same(run(none, exchange)));
});

test('a value that was turned back for the caller is not turned back in what is kept', () => {
  const exchange: Exchange = {
    body: body(`pay ${CARD}`),
    upstream: (sent) => reply(`paid ${/\[PAYMENT_CARD_1_\w+\]/.exec(sent)![0]}, or ${CARD}`),
  };
  expect(run(all, exchange).got).toContain(`paid ${CARD}, or ${CARD}`);
  const [{ content }] = said(kept(exchange).reply) as [{ content: string }];
  expect(content).toMatch(/^paid \[PAYMENT_CARD_1_\w+\], or \[PAYMENT_CARD\]$/);
});

test('a stream is kept as it is without one, however it is cut, and held or not', async () => {
  const held = await filterOf(`${head()}${ALL}rule h on completion buffer\n`);
  const deltas = [
    { content: 'to jo@ac' },
    { content: 'me.example, fr' },
    { content: 'second', index: 1 },
    { content: `om ${IBAN.slice(0, 11)}` },
    { content: IBAN.slice(11) },
    { content: ' "quoted"\n', index: 1 },
    { end: true },
    { end: true, index: 1 },
  ];
  const cuts = [
    (bytes: Uint8Array) => [bytes],
    (bytes: Uint8Array) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
  ];
  for (const filter of [all, held])
    for (const cut of cuts) {
      const found = kept({ body: body('hi', true), upstream: stream(...deltas), cut }, filter);
      expect(said(found.reply)).toEqual([
        { role: 'assistant', content: 'to [EMAIL], from [IBAN]' },
        { role: 'assistant', content: 'second "quoted"\n' },
      ]);
      expect(found.cut).toBe(false);
    }
});

test('of a stream that breaks off in the middle of a value nothing of the value is kept', () => {
  const found = kept({
    body: body('hi', true),
    upstream: stream({ content: 'from DE89 3704 0044' }, { content: ' 0532' }, { end: true }),
    cut: (bytes) => Array.from({ length: Math.ceil(bytes.length / 40) }, (_, i) => bytes.subarray(i * 40, i * 40 + 40)),
    hangUpAfter: 0,
  });
  expect(found.reply).not.toContain('DE89');
});

test('what is denied is kept, before it is sent and after', async () => {
  const before = kept({ body: body(`a secret, ${IBAN}`) });
  expect(before).toMatchObject({ denied: true, reply: '' });
  expect(said(before.prompt)).toEqual([{ role: 'user', content: 'a secret, [IBAN]' }]);
  const strict = await filterOf(`${head()}${ALL}rule no on completion where text contains iban deny "No"\n`);
  for (const upstream of [reply(`it is ${IBAN}`), stream({ content: `it is ${IBAN}` }, { content: ' and so on' })]) {
    const after = kept({ body: body('hi', upstream.type !== undefined), upstream }, strict);
    expect(after.denied).toBe(true);
    expect(after.reply).toContain('it is [IBAN]');
  }
});

test('a rule on completions keeps the prompt too, once what it asks for has come', () => {
  const exchange = { body: body(`my ${CARD}`), upstream: reply(IBAN) };
  const found = kept(exchange, replies);
  expect(said(found.prompt)).toEqual([{ role: 'user', content: 'my [PAYMENT_CARD]' }]);
  expect(found.keeps).toMatchObject([{ rule: 'leaks', group: 'safety-review' }]);
  expect(run(replies, { ...exchange, upstream: reply('none') }).kept).toBeUndefined();
  const early = kept({ body: body('hi', true), upstream: stream({ content: IBAN }, { end: true }) }, replies);
  expect(said(early.reply)).toEqual([{ role: 'assistant', content: '[IBAN]' }]);
});

test('the draw is made of the exchange’s id, which no header names, and takes the share that is asked for', () => {
  const ids = new Set<string>();
  let taken = 0;
  for (let i = 0; i < 2_000; i += 1) {
    const exchange = { body: body('hi'), upstream: reply('ho'), nowMs: 1_760_000_000_000 + i };
    const id = Buffer.from(kept(exchange).id);
    ids.add(id.toString('hex'));
    const found = run(drawn, exchange).kept;
    expect(found !== undefined).toBe(id.readBigUInt64LE(0) % 1_000_000n < 200_000n);
    if (found !== undefined) {
      expect(Buffer.compare(found.id, id)).toBe(0);
      taken += 1;
    }
  }
  expect(ids.size).toBe(2_000);
  // 20 percent of 2,000, within five standard deviations.
  expect(Math.abs(taken - 400)).toBeLessThan(90);
  const plain = kept({ body: body('hi'), upstream: reply('ho') });
  for (const name of ['x-request-id', 'traceparent', 'x-writ-exchange']) {
    const steered = kept({
      body: body('hi'),
      upstream: reply('ho'),
      headers: [
        ['authorization', 'Bearer key-1'],
        ['content-type', 'application/json'],
        [name, '00'],
      ],
    });
    expect(Buffer.compare(steered.id, plain.id)).toBe(0);
  }
});

test('what is kept is cut at 64 KiB each, at a whole character, and says so', () => {
  for (const letter of ['x', 'ä', '😀', '\n', '\u0001']) {
    const content = letter.repeat(140_000);
    const whole = kept({ body: body(content), upstream: reply(content) });
    const streamed = kept({
      body: body('hi', true),
      upstream: stream(...Array.from({ length: 70 }, () => ({ content: letter.repeat(2_000) })), { end: true }),
    });
    for (const each of [whole.prompt, whole.reply, streamed.reply]) {
      expect(Buffer.byteLength(each)).toBeLessThanOrEqual(65_536);
      expect(Buffer.byteLength(each)).toBeGreaterThan(60_000);
      const [{ content: shown }] = said(each) as [{ content: string }];
      expect(shown.replaceAll(letter, '')).toBe('');
    }
    expect([whole.cut, streamed.cut]).toEqual([true, true]);
  }
});

test('whatever a stream is made of, what is kept is JSON without a value in it', () => {
  const pieces = [CARD, IBAN, MAIL, 'a', '"', '\\', '\n', '\u0000', 'é', '😀', ' ', '4111', '}', '[PAYMENT_CARD]'];
  for (let seed = 1; seed <= 300; seed += 1) {
    const next = random(seed);
    const text = Array.from({ length: 12 }, () => pieces[Math.floor(next() * pieces.length)]!).join('; ');
    const deltas: { content: string; index: number }[] = [];
    for (const index of [0, 1]) {
      const characters = Array.from(text);
      for (let at = 0; at < characters.length;) {
        const length = 1 + Math.floor(next() * 7);
        deltas.push({ content: characters.slice(at, at + length).join(''), index });
        at += length;
      }
    }
    const found = kept({ body: body('hi', true), upstream: stream(...deltas, { end: true }, { end: true, index: 1 }) });
    const shown = (said(found.reply) as { content: string }[]).map(({ content }) => content);
    expect([seed, shown.length, shown[0]]).toEqual([seed, 2, shown[1]]);
    for (const value of [CARD, IBAN, MAIL]) expect([seed, shown[0]!.includes(value)]).toEqual([seed, false]);
    if (text.includes(IBAN)) expect(shown[0]).toContain('[IBAN]');
  }
});
