// Rules on exchanges, as the kernel decides them: once, when all is over, however it ended; and nothing of the exchange
// changes for it.
import { expect, test } from 'vitest';
import { type Exchange, filterOf, run, type Seen, type Upstream } from './test-filter.ts';

const HEAD = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
  base classification: low
}
classification = low < high
caller { id : text from claim "sub" }
models { site: site }
site = near | far
model small "gpt-small" { provider: openai site: near input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 1_000_000 tokens max_output: 256 tokens }
model large "gpt-large" { provider: openai site: far input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 1_000_000 tokens max_output: 256 tokens }
store files chroma "files" { level: text from metadata "level" else "none" }
reviewers quality from group "quality-review"
rule secret on prompt where text contains any of ("secret") deny "No secrets"
rule keys on completion where text contains any of ("key") deny "No keys"
classify completion as high where text contains iban
`;
const RULES = `rule long on exchange where completion.tokens is above 10 tokens tag long = true
rule far_away on exchange where model.site is far tag place = "far"
rule asked on exchange where some m in prompt.messages has (m.text contains iban) tag asked = "iban"
rule told on exchange where completion.classification is high tag told = "iban"
rule called on exchange where some c in completion.tool_calls has (c.name is "pay") tag called = "pay"
rule cut_short on exchange where completion.finish_reason is length tag cut = true
rule all_of_them on exchange record exchange for 30 days
rule some_of_them on exchange where prompt.classification is low sample 100 percent for review by quality
`;
const IBAN = 'DE89 3704 0044 0532 0130 00';
const body = (content: string, fields: object = {}): string =>
  JSON.stringify({ model: 'gpt-small', messages: [{ role: 'user', content }], ...fields });
const reply = (content: string, more: object = {}, tokens = 11): Upstream => ({
  body: JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content, ...more }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: tokens },
  }),
});
const stream = (content: string, end = 'stop'): Upstream => ({
  type: 'text/event-stream',
  body: [
    ...[...content].map((letter) => ({ choices: [{ index: 0, delta: { content: letter }, finish_reason: null }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: end }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: 11 } },
  ]
    .map((event) => `data: ${JSON.stringify({ id: 'c', ...event })}\n\n`)
    .concat('data: [DONE]\n\n')
    .join(''),
});

const filter = await filterOf(HEAD + RULES);
const none = await filterOf(HEAD);

interface Over {
  readonly outcome: string;
  readonly tags: readonly { readonly name: string; readonly value: string }[];
  readonly failed: readonly string[];
  readonly fired: readonly string[];
}
/** The decision on the exchange: the last one, and the only one of its kind. */
function over(exchange: Exchange): Over & Seen {
  const seen = run(filter, exchange);
  expect(seen.records.filter(({ event }) => event === 'exchange')).toHaveLength(1);
  const last = seen.records.at(-1)!;
  expect([last.event, last.outcome]).toEqual(['exchange', 'allow']);
  return { ...seen, ...(last as unknown as Over) };
}
const tagsOf = ({ tags }: Over): object => Object.fromEntries(tags.map(({ name, value }) => [name, value]));

test('reads prompt and reply together, and changes nothing of either', () => {
  const exchange = { body: body(`pay to ${IBAN}`), upstream: reply(`paid to DE75 5121 0800 1245 1261 99`) };
  const found = over(exchange);
  expect(tagsOf(found)).toEqual({ asked: 'iban', long: 'true', told: 'iban' });
  expect(found.failed).toEqual([]);
  const same = ({ sent, got, status, gotHeaders, spentMicros }: Seen) => ({
    sent,
    got,
    status,
    gotHeaders,
    spentMicros,
  });
  expect(same(found)).toEqual(same(run(none, exchange)));
});

test('what is kept is kept for it, prompt and reply', () => {
  const { kept } = over({ body: body('hello'), upstream: reply(`to jo@acme.example ${IBAN}`) });
  expect(kept?.keeps.map(({ rule, reviewers }) => [rule, reviewers])).toEqual([
    ['all_of_them', ''],
    ['some_of_them', 'quality'],
  ]);
  expect(JSON.parse(kept!.prompt)).toEqual([{ role: 'user', content: 'hello' }]);
  expect(JSON.parse(kept!.reply)).toEqual([{ role: 'assistant', content: 'to jo@acme.example [IBAN]' }]);
  expect(kept).toMatchObject({ denied: false, ended: true });
});

test('the model that was chosen, calls, and the end', () => {
  expect(tagsOf(over({ body: body('x', { model: 'gpt-large' }), upstream: reply('y', {}, 1) }))).toEqual({
    place: 'far',
  });
  const call = { id: 'a', type: 'function', function: { name: 'pay', arguments: '{}' } };
  expect(tagsOf(over({ body: body('x'), upstream: reply('y', { tool_calls: [call] }, 1) }))).toEqual({ called: 'pay' });
  const short = over({ body: body('x', { stream: true }), upstream: stream('y', 'length') });
  expect(tagsOf(short)).toEqual({ cut: 'true', long: 'true' });
});

test('a stream is not held for it, and decided alike', () => {
  const exchange = {
    body: body(`pay to ${IBAN}`, { stream: true }),
    upstream: stream('paid to DE75 5121 0800 1245 1261 99'),
  };
  const found = over(exchange);
  expect(tagsOf(found)).toEqual({ asked: 'iban', long: 'true', told: 'iban' });
  expect(found.got).toBe(run(none, exchange).got);
});

test('a denied prompt has no reply: what reads it fails, and denies nothing more', () => {
  const found = over({ body: body(`a secret: ${IBAN}`) });
  expect(found.status).toBe(403);
  expect(tagsOf(found)).toEqual({ asked: 'iban' });
  expect(found.failed).toEqual([
    'completion.classification',
    'completion.finish_reason',
    'completion.tokens',
    'completion.tool_calls',
  ]);
  expect(found.kept).toMatchObject({ denied: true, reply: '' });
});

test('the class of a reply of which a call was denied', async () => {
  const strict = await filterOf(`${HEAD}${RULES}rule no_pay on tool call where tool.name is "pay" deny "No"\n`);
  const call = { id: 'a', type: 'function', function: { name: 'pay', arguments: '{}' } };
  const { records } = run(strict, { body: body('x'), upstream: reply(IBAN, { tool_calls: [call] }) });
  expect(records.map(({ event, outcome }) => [event, outcome])).toEqual([
    ['prompt', 'allow'],
    ['completion', 'allow'],
    ['tool_call', 'deny'],
    ['exchange', 'allow'],
  ]);
  expect(records.at(-1)).toMatchObject({ tags: expect.arrayContaining([{ name: 'told', value: 'iban' }]) });
});

test('a denied reply, whole or in mid-stream', () => {
  for (const [fields, upstream] of [
    [{}, reply(`the key ${IBAN}`)],
    [{ stream: true }, stream('the key is')],
  ] as const) {
    const found = over({ body: body('x', fields), upstream });
    expect(found.records.at(-2)).toMatchObject({ event: 'completion', outcome: 'deny' });
    expect(found.kept).toMatchObject({ denied: true });
    expect(found.fired).toContain('all_of_them');
  }
});

test('the client goes in mid-stream, and the upstream never answers', () => {
  const cut = (bytes: Uint8Array): readonly Uint8Array[] => [bytes.subarray(0, 300), bytes.subarray(300)];
  const gone = over({ body: body('x', { stream: true }), upstream: stream('a long answer'), cut, hangUpAfter: 100 });
  expect(tagsOf(gone)).toEqual({});
  expect(gone.failed).toContain('completion.tokens');
  expect(over({ body: body('x') }).fired).toEqual(['all_of_them', 'some_of_them']);
  expect(tagsOf(over({ body: body('x', { model: 'gpt-large' }) }))).toEqual({ place: 'far' });
});

test('what is no exchange is not decided as one', () => {
  for (const exchange of [{ body: '{"model":' }, { body: body('x'), headers: [] }])
    expect(run(filter, exchange).records.map(({ event }) => event)).not.toContain('exchange');
  const base = '/api/v2/tenants/default_tenant/databases/default_database/collections';
  const id = '0a0b0c0d-0000-4000-8000-000000000001';
  const { records } = run(filter, {
    path: `${base}/${id}/query`,
    body: '{"query_embeddings":[[0.1,0.2,0.3]],"n_results":3}',
    call: () => ({ status: 200, body: `{"id":"${id}","name":"files","metadata":null,"dimension":3}` }),
    upstream: { body: '{"ids":[["a"]],"documents":[["d"]],"metadatas":[[{"level":"x"}]],"distances":[[0.1]]}' },
  });
  expect(records.map(({ event }) => event)).toEqual(['retrieval', 'chunk']);
});

test('a reply without usage tells no tokens', () => {
  const upstream = {
    body: JSON.stringify({
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: 'y' }, finish_reason: 'stop' }],
    }),
  };
  const found = over({ body: body('x'), upstream });
  expect([tagsOf(found), found.failed]).toEqual([{}, ['completion.tokens']]);
});
