// Pseudonyms: which values get which, held against HMAC-SHA256 as Node has it; and masks where there is no key or no
// PATH.
import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { detectors as DETECTORS } from '../../filters/detectors/detectors.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { cuts } from '../protocols/chunking.ts';
import { filterOf, filterWasmOf, placeholder, run, type Seen, type Upstream } from './test-filter.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';

const POLICY = `policy people {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: allow
  default ingest: allow
  on failure: deny
}
team = red | blue
caller {
  id : text from claim "sub"
  team : team from claim "team"
  level : int from claim "level"
  cost_centre : optional text from claim "cc"
}
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
store files chroma "files" { source : text from metadata "source" }
detector staff matches \`EMP-[0-9]{6}\`
detector ticket matches \`TICKET-[0-9]{4}\`
detector room matches \`ROOM-[0-9]{3}\`
rule mail on prompt redact email as pseudonym for each caller.id
rule cards on prompt redact payment_card as pseudonym for each caller.id
rule staff_by_team on prompt redact staff as pseudonym for each caller.team
rule tickets on prompt redact ticket as pseudonym for each caller.level
rule rooms on prompt where caller.cost_centre is known redact room as pseudonym for each caller.cost_centre
rule replies on completion redact email including restored as pseudonym for each caller.id
rule stored on ingest redact email as pseudonym for each caller.id
rule found on retrieval from files redact email as pseudonym for each chunk.source
`;

const KEY = DeploymentKey.of(Buffer.alloc(32, 7))!;
const CALLERS = [
  { key: 'ann', claims: { sub: 'ann', team: 'red', level: 7, cc: 'c1' } },
  { key: 'bob', claims: { sub: 'bob', team: 'red', level: 8, cc: 'c2' } },
  { key: 'cy', claims: { sub: 'cy', team: 'blue', level: 7 } },
  { key: 'nobody', claims: { team: 'red', level: 7 } },
];

let wasm: Uint8Array;
beforeAll(async () => {
  wasm = await filterWasmOf(POLICY, CALLERS);
});
let filter: Filter;
beforeEach(() => {
  filter = loadFilter(wasm);
  filter.keyed!.takeKey(KEY);
});

/** As documented: this use, the policy, PATH, the detector, PATH's value, each behind its length; then the value. */
function pseudonym(detector: string, path: string, within: string | bigint, normal: string, key = KEY): string {
  const part = (content: string | Uint8Array): Buffer => {
    const bytes = Buffer.from(content);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const eight = Buffer.alloc(8);
  if (typeof within === 'bigint') eight.writeBigInt64LE(within);
  const hash = createHmac('sha256', key.reveal())
    .update(part('writ pseudonym 1'))
    .update(part('people'))
    .update(part(path))
    .update(part(detector))
    .update(part(typeof within === 'bigint' ? eight : within))
    .update(normal)
    .digest();
  const letters = [...hash.toString('hex').slice(0, 19)].map((four) => 'bcdfghjkmnpqrstv'[Number.parseInt(four, 16)]);
  return `[${detector.toUpperCase()}:${letters.join('')}]`;
}

const REQUEST = (content: string, more = ''): string =>
  `{"model":"m-1","max_tokens":9,"messages":[{"role":"user","content":${JSON.stringify(content)}}]${more}}`;
const as = (caller: string) => [
  ['authorization', `Bearer ${caller}`] as const,
  ['content-type', 'application/json'] as const,
];

function ask(caller: string, content: string, by: Filter = filter): string {
  const seen = run(by, { headers: as(caller), body: REQUEST(content) });
  return (JSON.parse(seen.sent ?? 'null') as { messages: { content: string }[] }).messages[0]!.content;
}

describe('a value', () => {
  test('has one pseudonym for a caller, in every exchange and every filter of the policy', () => {
    const expected = pseudonym('email', 'caller.id', 'ann', 'a@b.example');
    expect(ask('ann', 'to a@b.example, a@b.example')).toBe(`to ${expected}, ${expected}`);
    expect(ask('ann', 'again a@b.example')).toBe(`again ${expected}`);
    const other = loadFilter(wasm);
    other.keyed!.takeKey(KEY);
    expect(ask('ann', 'a@b.example', other)).toBe(expected);
    expect(expected).toMatch(/^\[EMAIL:[b-v]{19}\]$/);
  });

  test('has another one for another caller, by another detector, for another value and by another key', () => {
    const all = [
      ask('ann', 'a@b.example'),
      ask('bob', 'a@b.example'),
      ask('ann', 'a@c.example'),
      ask('ann', 'a@b.exampl'),
      ask('ann', 'a-b@b.example'),
      ask('ann', 'ab@b.example'),
    ];
    filter.keyed!.takeKey(DeploymentKey.of(Buffer.alloc(32, 8))!);
    all.push(ask('ann', 'a@b.example'));
    expect(new Set(all).size).toBe(all.length);
  });

  test('is the same however it is written: case, blanks, dashes and brackets', () => {
    const card = pseudonym('payment_card', 'caller.id', 'ann', '4012888888881881');
    for (const written of ['4012888888881881', '4012 8888 8888 1881', '4012-8888-8888-1881'])
      expect(ask('ann', `card ${written}`)).toBe(`card ${card}`);
    expect(ask('ann', 'A@B.Example')).toBe(ask('ann', 'a@b.example'));
  });

  test('is told apart within PATH, whatever its type: a member by name, a number as it is', () => {
    expect(ask('ann', 'EMP-123456')).toBe(pseudonym('staff', 'caller.team', 'red', 'emp123456'));
    expect(ask('bob', 'EMP-123456')).toBe(ask('ann', 'EMP-123456'));
    expect(ask('cy', 'EMP-123456')).toBe(pseudonym('staff', 'caller.team', 'blue', 'emp123456'));
    expect(ask('ann', 'TICKET-1234')).toBe(pseudonym('ticket', 'caller.level', 7n, 'ticket1234'));
    expect(ask('bob', 'TICKET-1234')).toBe(pseudonym('ticket', 'caller.level', 8n, 'ticket1234'));
    expect(ask('ann', 'ROOM-123')).toBe(pseudonym('room', 'caller.cost_centre', 'c1', 'room123'));
    expect(ask('cy', 'ROOM-123')).toBe('ROOM-123');
  });

  test('longer than a block of the hash is hashed whole', () => {
    for (const length of [20, 39, 40, 50, 60, 62, 63, 64])
      expect(ask('ann', `${'x'.repeat(length)}@b.example`)).toBe(
        pseudonym('email', 'caller.id', 'ann', `${'x'.repeat(length)}@b.example`),
      );
  });

  test('is not turned back in the reply; one that is new there has its own', () => {
    const mine = pseudonym('email', 'caller.id', 'ann', 'a@b.example');
    const reply = (content: string): Upstream => ({
      body: `{"choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(content)}},"finish_reason":"stop"}]}`,
    });
    const seen = run(filter, {
      headers: as('ann'),
      body: REQUEST('a@b.example'),
      upstream: reply(`${mine} a@b.example c@d.example`),
    });
    expect(seen.got).toContain(`${mine} ${mine} ${pseudonym('email', 'caller.id', 'ann', 'c@d.example')}`);
  });

  test('has it in tool arguments and through the escapes of JSON', () => {
    const call = (args: string): string =>
      `{"model":"m-1","max_tokens":9,"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":${JSON.stringify(args)}}}]}]}`;
    const mine = pseudonym('email', 'caller.id', 'ann', 'a@b.example');
    const seen: Seen = run(filter, { headers: as('ann'), body: call(String.raw`{"to":"a\u0040b.example"}`) });
    expect(seen.sent).toBe(call(`{"to":"${mine}"}`));
  });

  test('has it in a stream, however it is cut', () => {
    const delta = (content: string): string =>
      `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
    const body = `${delta('to a@b.e')}${delta('xample, c@d.ex')}${delta('ample!')}data: [DONE]\n\n`;
    const spoken = (cut?: (bytes: Uint8Array) => readonly Uint8Array[]): string => {
      const upstream: Upstream = { type: 'text/event-stream', body };
      const { got } = run(filter, {
        headers: as('bob'),
        body: REQUEST('hi', ',"stream":true'),
        upstream,
        ...(cut && { cut }),
      });
      return [...got.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    };
    const expected = ['a@b.example', 'c@d.example'].map((each) => pseudonym('email', 'caller.id', 'bob', each));
    expect(spoken()).toBe(`to ${expected.join(', ')}!`);
    for (const [how, cut] of cuts(Buffer.byteLength(body), 20)) expect([how, spoken(cut)]).toEqual([how, spoken()]);
  });

  test('of a chunk is told apart by an attribute of the chunk, chunk by chunk', () => {
    const path = '/api/v2/tenants/t/databases/d/collections/0a0b0c0d-0000-4000-8000-000000000001';
    const reply = (documents: readonly string[]): string =>
      JSON.stringify({
        ids: ['1', '2', '3', '4'],
        embeddings: null,
        documents,
        uris: null,
        metadatas: [{ source: 's1' }, { source: 's2' }, { source: 's1' }, {}],
        include: ['documents', 'metadatas'],
      });
    const seen = run(filter, {
      path: `${path}/get`,
      headers: as('ann'),
      body: '{"ids":["1","2","3","4"],"include":["documents","metadatas"]}',
      call: () => ({
        status: 200,
        body: '{"id":"0a0b0c0d-0000-4000-8000-000000000001","name":"files","tenant":"t","database":"d"}',
      }),
      upstream: { body: reply(['a@b.example', 'a@b.example', 'a@b.example', 'a@b.example']) },
    });
    const by = (source: string): string => pseudonym('email', 'chunk.files.source', source, 'a@b.example');
    expect((JSON.parse(seen.got) as { documents: string[] }).documents).toEqual([
      by('s1'),
      by('s2'),
      by('s1'),
      '[EMAIL]',
    ]);
  });
});

test('is found by no detector, wherever it stands', async () => {
  const names = DETECTORS.map(({ name }) => name);
  const all = await filterOf(
    `${POLICY.replace(/^rule .*\n/gm, '')}rule a on prompt redact any of (${names.join(', ')}) as pseudonym for each caller.id\n`,
    CALLERS,
  );
  all.keyed!.takeKey(KEY);
  const before = [
    '',
    'api key: ',
    'api_key="',
    'passport no ',
    'born ',
    'SSN ',
    'phone ',
    'IBAN ',
    '::',
    'a@',
    'sk-',
    'DE89',
  ];
  for (const values of Array.from({ length: 10 }, (_, batch) => batch)) {
    const made = Array.from({ length: 400 }, (_, i) => `p${values}.${i}@b.example`).join(' ');
    const sent = ask('ann', made, all);
    const pseudonyms = [...sent.matchAll(/\[EMAIL:[a-z]+\]/g)].map(([each]) => each);
    expect(new Set(pseudonyms).size).toBe(400);
    for (const each of before)
      expect(
        all.scan(Buffer.from(pseudonyms.map((one, i) => `${each}${one}${i % 2 ? '' : `, ${one}`}`).join('\n'))),
      ).toEqual([]);
  }
});

describe('a mask stands in its place', () => {
  test('of what is found after 4,096 pseudonyms of one exchange, so that nobody makes us hash without end', () => {
    const content = Array.from({ length: 4_098 }, (_, i) => `p${i}@b.example`).join(' ');
    const sent = ask('ann', `${content} p0@b.example`).split(' ');
    expect(sent.slice(0, 4_096).every((each) => /^\[EMAIL:[a-z]{19}\]$/.test(each))).toBe(true);
    expect(sent.slice(4_096)).toEqual(['[EMAIL]', '[EMAIL]', sent[0]]);
    expect(ask('ann', 'p4097@b.example')).toBe(pseudonym('email', 'caller.id', 'ann', 'p4097@b.example'));
  });

  test('while there is no key, and each is counted', () => {
    const bare = loadFilter(wasm);
    expect(ask('ann', 'a@b.example EMP-123456', bare)).toBe('[EMAIL] [STAFF]');
    expect(bare.keyed!.masked()).toBe(2);
    bare.keyed!.takeKey(KEY);
    expect(ask('ann', 'a@b.example', bare)).toBe(pseudonym('email', 'caller.id', 'ann', 'a@b.example'));
    expect(bare.keyed!.masked()).toBe(2);
  });

  test('where PATH has failed', () => {
    expect(ask('nobody', 'a@b.example TICKET-1234')).toBe(
      `[EMAIL] ${pseudonym('ticket', 'caller.level', 7n, 'ticket1234')}`,
    );
    expect(filter.keyed!.masked()).toBe(0);
  });
});

test('is stronger than a placeholder and weaker than all else', async () => {
  const rules = (mode: string): Promise<Filter> =>
    filterOf(
      `${POLICY.replace(/^rule .*\n/gm, '')}rule a on prompt redact staff as pseudonym for each caller.id\nrule b on prompt redact staff as ${mode}\n`,
      CALLERS,
    );
  const said: [string, string][] = [];
  for (const mode of ['placeholder', 'mask keeping last 4']) {
    const both = await rules(mode);
    both.keyed!.takeKey(KEY);
    said.push([mode, ask('ann', 'EMP-123456', both)]);
  }
  expect(said).toEqual([
    ['placeholder', pseudonym('staff', 'caller.id', 'ann', 'emp123456')],
    ['mask keeping last 4', '[STAFF ending in 3456]'],
  ]);
});

test('a policy without them asks for no key, and its bundle holds none', async () => {
  const without = await filterOf(POLICY.replace(/as pseudonym.*/g, 'as placeholder'), CALLERS);
  expect(without.keyed).toBeUndefined();
  expect(ask('ann', 'a@b.example', without)).toBe(placeholder('EMAIL', 1));
});

test('the key is refused where it has another length, and never printed', () => {
  expect(DeploymentKey.of(randomBytes(31))).toBeUndefined();
  expect(DeploymentKey.parse('07'.repeat(31))).toBeUndefined();
  expect(DeploymentKey.parse(KEY.revealText())?.equals(KEY)).toBe(true);
  const hex = Buffer.from(KEY.reveal()).toString('hex');
  for (const shown of [`${KEY}`, JSON.stringify({ KEY }), inspect({ KEY }), inspect(KEY, { showHidden: true })])
    expect(shown).not.toContain(hex);
  expect(KEY.forPolicy('a').equals(KEY.forPolicy('b'))).toBe(false);
});

test('no record of a decision holds the key or what is made of it', () => {
  const { records, sent } = run(filter, { headers: as('ann'), body: REQUEST('a@b.example') });
  const made = /\[EMAIL:([b-v]{19})\]/.exec(sent ?? '')![1]!;
  expect(JSON.stringify(records)).not.toContain(made);
  expect(records[0]).toMatchObject({
    redact: expect.arrayContaining([
      expect.objectContaining({ detector: 'email', as: 'pseudonym for each caller.id' }),
    ]) as unknown,
  });
});
