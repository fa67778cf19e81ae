/** Streams: the same findings as in a whole reply, replies held whole where the policy needs it, and every limit. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { random } from '../protocols/chunking.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, placeholder, run, type Seen, type Upstream } from './test-filter.ts';

let filter: Filter;
let buffered: Filter;
let mailless: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
  mailless = await filterOf(`${POLICY}rule mailless on completion where text contains email deny "No mail"\n`);
  buffered = await filterOf(
    `${POLICY.replace('128_000', '10_000_000')}rule short on completion where completion.tokens is above 100 tokens deny "too long"\n`,
  );
});

const EMP = placeholder('EMPLOYEE_ID', 1);
const body = (stream: boolean, more = ''): string =>
  `{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"EMP-123456 a@b.example"}]${stream ? ',"stream":true' : ''}${more}}`;
const delta = (content: string, index = 0): string =>
  `data: ${JSON.stringify({ choices: [{ index, delta: { content } }] })}\n\n`;
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const bytewise = (bytes: Uint8Array): readonly Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));
const sse = (text: string): Upstream => ({ type: 'text/event-stream', body: text });
const stream = (text: string, more = ''): Seen => run(filter, { body: body(true, more), upstream: sse(text) });

function spoken(got: string, index = 0): string {
  return got
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap(
      (line) => (JSON.parse(line.slice(6)) as { choices: { index: number; delta: { content?: string } }[] }).choices,
    )
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta.content ?? '')
    .join('');
}

test('a choice without a number is the first, and refused where it stands behind another', () => {
  const unnumbered = '{"delta":{"content":"9999"}}';
  const first = stream(`${delta('EMP-99')}data: {"choices":[${unnumbered}]}\n\n${END}`);
  expect(spoken(first.got)).toBe('[EMPLOYEE_ID]');
  const behind = stream(
    `${delta('EMP-99')}data: {"choices":[{"index":1,"delta":{"content":"x"}},${unnumbered}]}\n\n${END}`,
  );
  expect(behind.got).not.toMatch(/9999|EMP-99/);
  expect(behind.got).toContain("the upstream's reply cannot be read");
});

test('last words stand apart from an event that came without its blank line', () => {
  const told = `${delta('so ')}${delta('ask me at c@d.example').trimEnd()}`;
  for (const cut of [undefined, bytewise]) {
    const { got } = run(mailless, { body: body(true), upstream: sse(told), ...(cut ? { cut } : {}) });
    expect(got).not.toContain('d.example');
    for (const line of got.split('\n').filter((each) => each !== '' && each !== 'data: [DONE]')) {
      expect(line).toMatch(/^data: \{/);
      expect(JSON.parse(line.slice(6))).toHaveProperty('choices');
    }
    expect(spoken(got)).toMatch(/^so /);
  }
});

const TWIN_FIELDS: readonly (readonly [what: string, delta: string, more?: string])[] = [
  ['before it', '{"a":"b","c":"EMP-999999"}'],
  ['behind it', '{"c":"EMP-999999","d":"9"}'],
  ['that the protocol knows', '{"reasoning":"b","c":"EMP-999999"}'],
  ['whose value is a number', '{"a":1,"reasoning":"b","c":"EMP-999999"}'],
  ['of the same name around it', '{"c":"b"}', ',"c":"EMP-999999"'],
];
test.each(TWIN_FIELDS)(
  'a field that nobody knows is a text of its own, whatever field stands %s',
  (_, fields, more = '') => {
    const { got } = stream(`data: {"choices":[{"index":0,"delta":${fields}${more}}]}\n\n${END}`);
    expect(got).not.toContain('EMP-999999');
    expect(got).toContain('[EMPLOYEE_ID]');
  },
);

test('a field that nobody knows goes on in the next event, however its name is written', () => {
  const piece = (fields: string): string => `data: {"choices":[{"index":0,"delta":{${fields}}}]}\n\n`;
  const { got } = stream(
    `${piece('"a":"x ","c":"EMP-"')}${piece('"\\u0063" : "999","a":"y"')}${piece('"n":12345,"c":"999 ","reasoning":"z"')}${END}`,
  );
  expect(got).not.toMatch(/EMP-|999/);
  expect(got.match(/\[EMPLOYEE_ID\]/g)).toHaveLength(1);
});

// To the client each is one more choice, and not part of the text of choice 0.
test.each(['111111111111111111', '1048576', '-1', '1.0', '1e0'])(
  'a choice or a call with the number %s cannot be read',
  (number) => {
    const choice = `{"index":${number},"delta":{"content":"1"}}`;
    const call = `{"index":0,"delta":{"tool_calls":[{"index":${number},"function":{"arguments":"1"}}]}}`;
    for (const odd of [choice, call]) {
      const { got } = stream(`${delta('EMP-999')}data: {"choices":[${odd}]}\n\n${delta('999 ')}${END}`);
      expect(got).not.toMatch(/EMP-999|999 /);
      expect(got).toContain("the upstream's reply cannot be read");
    }
  },
);

test('a stream, however its text is cut into events, says what the whole reply says', () => {
  const WORDS = [
    'EMP-123456',
    'EMP-999999',
    'EMP-12345',
    ' 4111 1111 1111 1111',
    '4111-1111-1111-1112',
    ' x@y.example',
    'a@b.example',
    EMP,
    EMP.slice(0, 9),
    '[',
    ']',
    ' ',
    ', ',
    'http://x/',
    'é😀',
    '\n',
    'word',
    '１２３',
    '\u200b',
  ];
  for (let seed = 1; seed <= 1_500; seed += 1) {
    const next = random(seed);
    const text = Array.from(
      { length: 1 + Math.floor(next() * 12) },
      () => WORDS[Math.floor(next() * WORDS.length)],
    ).join(next() < 0.5 ? ' ' : '');
    const whole = run(filter, {
      body: body(false),
      upstream: {
        body: JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        }),
      },
    });
    const expected = (JSON.parse(whole.got) as { choices: { message: { content: string } }[] }).choices[0]?.message
      .content;
    const characters = [...text];
    let events = '';
    for (let at = 0; at < characters.length;) {
      const size = 1 + Math.floor(next() * 9);
      events += delta(characters.slice(at, at + size).join(''));
      at += size;
    }
    expect([seed, text, spoken(stream(events + END).got)]).toEqual([seed, text, expected]);
  }
});

describe('a policy that needs the whole reply', () => {
  const usage = (n: number): string => `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":${n}}}\n\n`;
  const ask = (text: string): Seen =>
    run(buffered, {
      body: body(true),
      upstream: sse(text),
      cut: (bytes) => [bytes.subarray(0, 20), bytes.subarray(20)],
    });

  test('gets it, and then lets it go in one burst, edited', () => {
    const seen = ask(
      `${delta('x EMP-9')}${delta('99999 ')}${delta(EMP)}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n${usage(50)}data: [DONE]\n\n`,
    );
    expect(seen.status).toBe(200);
    expect(spoken(seen.got)).toBe('x [EMPLOYEE_ID] EMP-123456');
    expect(seen.got.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('refuses it with a plain error before a byte has left', () => {
    const seen = ask(`${delta('x')}${END.replace('data: [DONE]', `${usage(101)}data: [DONE]`)}`);
    expect(seen.status).toBe(403);
    expect(JSON.parse(seen.got)).toMatchObject({ error: { message: 'too long (rule short)' } });
    expect(ask(`${delta('x')}data: {broken\n\n`).status).toBe(502);
  });

  test('refuses a reply that does not tell its usage', () => {
    expect(ask(delta('x') + END).status).toBe(403);
  });
});

describe('limits', () => {
  test('text that may still become a match is held, and no more', () => {
    const session = filter.newSession({ evidence: { jwt: undefined, san: undefined }, nowMs: 0, nonce: 5n });
    const content = Buffer.from(body(true));
    session.requestHeaders(
      [
        [':method', 'POST'],
        [':path', '/v1/chat/completions'],
        ['x-api-key', 'key-1'],
      ],
      false,
    );
    let step = session.requestBody(content, true);
    if (step.kind === 'levels') step = session.levels([{ headroom: 1e9, spent: 0 }]);
    expect(step.kind).toBe('continue');
    session.responseHeaders(
      [
        [':status', '200'],
        ['content-type', 'text/event-stream'],
      ],
      false,
    );
    const say = (text: string): string => {
      const answer = session.responseBody(Buffer.from(text), false);
      return answer.kind === 'continue' ? spoken(Buffer.from(answer.body ?? '').toString()) : answer.kind;
    };
    expect(say(delta('plain words, '))).toBe('plain words, ');
    expect(say(delta('and EMP-9999'))).toBe('');
    expect(say(delta('x '))).toBe('and EMP-9999x ');
    session.free();
  });

  test('a choice that waits does not stop the others for ever: past the limit they overtake', () => {
    const waiting = delta('EMP-9', 0);
    const others = Array.from({ length: 5_000 }, (_, i) => delta(`w${i} `, 1)).join('');
    const seen = stream(`${waiting}${others}${delta('99999 z', 0)}${END}`, ',"n":2');
    expect(spoken(seen.got, 0)).toBe('[EMPLOYEE_ID] z');
    expect(spoken(seen.got, 1)).toBe(Array.from({ length: 5_000 }, (_, i) => `w${i} `).join(''));
  });

  test('1,024 lanes are read, one more is refused', () => {
    const lanes = (n: number): string =>
      Array.from({ length: n }, (_, i) => delta('x', i)).join('') + 'data: [DONE]\n\n';
    expect(stream(lanes(1_024)).got).toBe(lanes(1_024));
    expect(stream(lanes(1_025)).got).toContain('content_filter');
  });

  test('4,096 values in one event are read, more are refused', () => {
    const event = (n: number): string =>
      `data: ${JSON.stringify({ choices: [], x: Array.from({ length: n }, () => 'a') })}\n\ndata: [DONE]\n\n`;
    // The choices' list and the key `x` are values, too.
    expect(stream(event(4_094)).got).toBe(event(4_094));
    expect(stream(event(4_095)).got).toContain('content_filter');
  });

  test('65,536 different values are redacted, one more is 413', () => {
    const values = (n: number): string =>
      JSON.stringify({
        model: 'gpt-4o',
        max_tokens: 5,
        messages: [{ role: 'user', content: Array.from({ length: n }, (_, i) => `u${i}@b.example`).join(' ') }],
      });
    expect(run(buffered, { body: values(65_536) }).sent).toContain(placeholder('EMAIL', 65_536));
    expect(run(buffered, { body: values(65_537) })).toMatchObject({ sent: null, status: 413 });
  });

  test('text after the end of its choice is refused', () => {
    // Its choice has ended for the client: only the stream is left to be ended.
    expect(stream(`${delta('a')}${END.replace('data: [DONE]\n\n', '')}${delta('b')}data: [DONE]\n\n`).got).toBe(
      `${delta('a')}${END}`,
    );
  });
});

test('the strongest action, then the longest span, then the order of detectors decides where matches overlap', async () => {
  const overlapping =
    await filterOf(`${POLICY.replace(/rule mask_personal[\s\S]*?placeholder\n/, '')}detector word_a matches \`AAA-[0-9]{4}\`
detector word_b matches \`[0-9]{4}-BB\`
detector word_c matches \`[0-9]{4}-BB-CCCC\`
detectors group_a = word_a
detectors group_b = word_b
detectors group_c = word_c
rule a on prompt redact group_a as mask
rule b on prompt redact group_b as placeholder
rule c on prompt redact group_c as placeholder
`);
  const sent = (content: string): string =>
    (
      JSON.parse(
        run(overlapping, {
          body: JSON.stringify({ model: 'gpt-4o', max_tokens: 5, messages: [{ role: 'user', content }] }),
        }).sent ?? '{}',
      ) as { messages: { content: string }[] }
    ).messages[0]?.content ?? '';
  expect(sent('AAA-1234')).toBe('[WORD_A]');
  expect(sent('AAA-1234-BB')).toBe('[WORD_A]');
  expect(sent('1234-BB')).toBe(placeholder('WORD_B', 1));
  expect(sent('1234-BB-CCCC')).toBe(placeholder('WORD_C', 1));
  expect(sent('AAA-1234-BB-CCCC')).toBe('[WORD_A]');
  expect(sent('AAA-1234 1234-BB')).toBe(`[WORD_A] ${placeholder('WORD_B', 1)}`);
});
