// Masks that keep a part: which part, never more than half, and the same wherever the value stands and however it
// comes.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { cuts } from '../protocols/chunking.ts';
import { filterOf, placeholder, run, type Upstream } from './test-filter.ts';

const POLICY = `policy partial {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
store files chroma "files" { source : text from metadata "source" }
detector pin matches \`PIN-[0-9]{1,6}\`
detector name matches \`(?:Zoë|Łukasz|O.Neill|Ann|名前)\`
detector dated matches \`d:[0-9A-Za-zä１ ./-]{1,24}\`
detector serial matches \`[0-9]{4}-XX-[0-9]{4}\`
rule cards on prompt redact payment_card as mask keeping last 4
rule pins on prompt redact pin as mask keeping last 8
rule names on prompt redact name as mask keeping last 2
rule born on prompt redact any of (date_of_birth, dated) as year
rule kept on completion redact payment_card as mask keeping last 4
rule spoken on completion redact date_of_birth including restored as year
rule stored on ingest redact payment_card as mask keeping last 4
rule seen on retrieval from files redact payment_card as mask keeping last 4
rule serials on prompt redact serial as year
`;

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const CARD = '4012 8888 8888 1881';
const REQUEST = (content: string, more = ''): string =>
  `{"model":"m-1","max_tokens":9,"messages":[{"role":"user","content":${JSON.stringify(content)}}]${more}}`;

function sent(content: string, by: Filter = filter): string {
  const { sent } = run(by, { body: REQUEST(content) });
  return (JSON.parse(sent ?? 'null') as { messages: { content: string }[] }).messages[0]!.content;
}

describe('keeping the last letters and digits', () => {
  test.each([
    [`card ${CARD}.`, 'card [PAYMENT_CARD ending in 1881].'],
    ['card 4111-1111-1111-1111', 'card [PAYMENT_CARD ending in 1111]'],
    // Never more than half of them, whatever the rule says: P, I, N and the digits count.
    ['PIN-1', '[PIN ending in N1]'],
    ['PIN-12', '[PIN ending in 12]'],
    ['PIN-123456', '[PIN ending in 3456]'],
    // Characters, not bytes, and only letters and digits.
    ['Zoë', '[NAME ending in ë]'],
    ['Łukasz', '[NAME ending in sz]'],
    ['O’Neill', '[NAME ending in ll]'],
    ['O"Neill', '[NAME ending in ll]'],
    ['Ann', '[NAME ending in n]'],
    ['名前', '[NAME ending in 前]'],
  ])('%s', (content, expected) => {
    expect(sent(content)).toBe(expected);
  });

  test('a value of one letter keeps nothing', async () => {
    const one = await filterOf(
      `${POLICY}detector flag matches \`#[a-z]\`\nrule flags on prompt redact flag as mask keeping last 1\n`,
    );
    expect(sent('say #a', one)).toBe('say [FLAG]');
  });

  test('is read through the escapes of JSON, and stands in tool arguments', () => {
    const escaped = REQUEST('X').replace('X', String.raw`\u0034012 8888 8888 18\u00381`);
    expect(run(filter, { body: escaped }).sent).toBe(REQUEST('[PAYMENT_CARD ending in 1881]'));
    const call = (args: string): string =>
      `{"model":"m-1","max_tokens":9,"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":${JSON.stringify(args)}}}]}]}`;
    expect(run(filter, { body: call(String.raw`{"n":"\u0034012 8888 8888 1881"}`) }).sent).toBe(
      call('{"n":"[PAYMENT_CARD ending in 1881]"}'),
    );
  });

  test('in a stream, however it is cut', () => {
    const delta = (content: string): string =>
      `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
    const body = `${delta('card 4012 88')}${delta('88 8888 18')}${delta('81, born 1980-0')}${delta('1-31!')}data: [DONE]\n\n`;
    const ask = (cut?: (bytes: Uint8Array) => readonly Uint8Array[]): string => {
      const upstream: Upstream = { type: 'text/event-stream', body };
      const { got } = run(filter, { body: REQUEST('hi', ',"stream":true'), upstream, ...(cut && { cut }) });
      return [...got.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    };
    expect(ask()).toBe('card [PAYMENT_CARD ending in 1881], born [DATE_OF_BIRTH 1980]!');
    for (const [how, cut] of cuts(Buffer.byteLength(body), 20)) expect([how, ask(cut)]).toEqual([how, ask()]);
  });

  test('on what is stored and what is found', () => {
    const headers = [['authorization', 'Bearer key-1'] as const, ['content-type', 'application/json'] as const];
    const path = '/api/v2/tenants/t/databases/d/collections/0a0b0c0d-0000-4000-8000-000000000001';
    const call = () => ({
      status: 200,
      body: '{"id":"0a0b0c0d-0000-4000-8000-000000000001","name":"files","tenant":"t","database":"d"}',
    });
    const add = (document: string): string =>
      JSON.stringify({ ids: ['a'], documents: [document], metadatas: [{ source: 's' }] });
    expect(run(filter, { path: `${path}/add`, headers, body: add(`is ${CARD}`), call }).sent).toBe(
      add('is [PAYMENT_CARD ending in 1881]'),
    );
    const reply = (document: string): string =>
      JSON.stringify({
        ids: ['a'],
        embeddings: null,
        documents: [document],
        uris: null,
        metadatas: [{ source: 's' }],
        include: ['documents', 'metadatas'],
      });
    const asked = run(filter, {
      path: `${path}/get`,
      headers,
      body: '{"ids":["a"],"include":["documents","metadatas"]}',
      call,
      upstream: { body: reply(`is ${CARD}`) },
    });
    expect(asked.got).toBe(reply('is [PAYMENT_CARD ending in 1881]'));
  });

  test('the decision names the mode as the policy writes it', () => {
    expect(run(filter, { body: REQUEST(`born 1980-01-31, ${CARD}`) }).records[0]).toMatchObject({
      redact: expect.arrayContaining([
        { detector: 'date_of_birth', as: 'year', includingRestored: false, rules: ['born'] },
        { detector: 'payment_card', as: 'mask keeping last 4', includingRestored: false, rules: ['cards'] },
      ]),
    });
  });
});

describe('the year', () => {
  test.each([
    ['born 1980-01-31.', 'born [DATE_OF_BIRTH 1980].'],
    ['born 31/01/1980', 'born [DATE_OF_BIRTH 1980]'],
    ['geboren am 5. 3. 1984', 'geboren am [DATE_OF_BIRTH 1984]'],
    ['Born on March 5th, 1984', 'Born on [DATE_OF_BIRTH 1984]'],
    // By a detector of the policy's own, which may find anything.
    ['d:12 März 1980', '[DATED 1980]'],
    ['d:1799/1/1', '[DATED]'],
    ['d:2200/1/1', '[DATED]'],
    ['d:31/01/80', '[DATED]'],
    ['d:19800131', '[DATED]'],
    ['d:1980/1981', '[DATED]'],
    ['d:1980/123', '[DATED]'],
    ['d:1980-4111-1111', '[DATED]'],
    ['d:none', '[DATED]'],
    ['d:1980/１１', '[DATED]'],
    ['1980-XX-1234', '[SERIAL]'],
  ])('%s', (content, expected) => {
    expect(sent(content)).toBe(expected);
  });

  test('is all that a reply shows of a date that was put back, where the rule says so', () => {
    const both = run(filter, {
      body: REQUEST('hello 1980-01-31'),
      upstream: {
        body: '{"choices":[{"index":0,"message":{"role":"assistant","content":"born 1980-01-31"},"finish_reason":"stop"}]}',
      },
    });
    expect(both.got).toContain('born [DATE_OF_BIRTH 1980]');
  });
});

test('of two modes on one span the stronger holds, whichever rule asks for it: what keeps more is weaker', async () => {
  const shown = [
    ['placeholder', (detector: string) => placeholder(detector, 1)],
    ['year', (detector: string) => `[${detector} 1980]`],
    ['mask keeping last 8', (detector: string) => `[${detector} ending in 1980]`],
    ['mask keeping last 2', (detector: string) => `[${detector} ending in 80]`],
    ['mask', (detector: string) => `[${detector}]`],
    ['remove', () => ''],
  ] as const;
  const pairs = shown.flatMap(([first, showsFirst], a) =>
    shown.map(([second, showsSecond], b) => ({
      name: `pair_${a}_${b}`,
      word: `p${a}q${b}`,
      modes: [first, second],
      shows: a > b ? showsFirst : showsSecond,
    })),
  );
  const all = await filterOf(
    POLICY.replace(/^rule .*\n/gm, '') +
      pairs
        .map(
          ({ name, word, modes }) =>
            `detector ${name} matches \`${word}-[0-9]{4}\`\n${modes.map((mode, at) => `rule r${at}_${name} on prompt redact ${name} as ${mode}\n`).join('')}`,
        )
        .join(''),
  );
  for (const { name, word, shows } of pairs)
    expect([name, sent(`${word}-1980`, all)]).toEqual([name, shows(name.toUpperCase())]);
});
