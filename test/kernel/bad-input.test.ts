/** What is not understood is refused, in the protocol's form, and nothing is left behind. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { POLICY } from '../protocols/policy.ts';
import { filterOf, KEYS, run, type Exchange } from './test-filter.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [
    ...KEYS,
    { key: '\0spiffe://acme/svc', claims: { sub: 'svc', dept: 'support', region: 'us' } },
  ]);
});

const chat = (content: string, more = ''): string =>
  `{"model":"gpt-4o","max_tokens":5,"messages":[{"role":"user","content":${content}}]${more}}`;
const refusal = (exchange: Exchange): readonly [number, string] => {
  const seen = run(filter, exchange);
  expect(seen.sent).toBeNull();
  const { error } = JSON.parse(seen.got) as { error: { message: string } };
  return [seen.status, error.message];
};

describe('a body', () => {
  const cases: readonly (readonly [name: string, body: string | Uint8Array, status: number, message: string])[] = [
    ['not JSON', 'hello', 400, "the request's body is not valid JSON"],
    ['truncated', chat('"x"').slice(0, -3), 400, "the request's body is not valid JSON"],
    ['with bytes behind', `${chat('"x"')}{}`, 400, "the request's body is not valid JSON"],
    ['with a byte order mark', `\ufeff${chat('"x"')}`, 400, "the request's body is not valid JSON"],
    [
      'nested deeply',
      chat('"x"', `,"tools":[{"type":"function","function":{"parameters":${'['.repeat(70)}${']'.repeat(70)}}}]`),
      400,
      "the request's body is nested deeper than 64 levels",
    ],
    [
      'with a field twice',
      chat('"x"', ',"model":"gemma-3-270m"'),
      400,
      "the request's body has a field twice, or one that only differs in case",
    ],
    [
      'with a twin in another case',
      chat('"x"', ',"Messages":[]'),
      400,
      "the request's body has a field twice, or one that only differs in case",
    ],
    [
      'with a free field twice',
      chat('"x"', ',"metadata":{"a":"1","\\u0061":"2"}'),
      400,
      "the request's body has a field twice, or one that only differs in case",
    ],
    [
      'of wrong types',
      '{"model":5,"messages":[]}',
      400,
      "the request's body has a value that is not read at `model`, so it cannot be checked",
    ],
    ['with a wrong number', chat('"x"', ',"n":1.5'), 400, 'the value at `n` is none that this gateway reads'],
    ['with no choice at all', chat('"x"', ',"n":0'), 400, 'the value at `n` is none that this gateway reads'],
    ['with too many choices', chat('"x"', ',"n":129'), 400, 'the value at `n` is none that this gateway reads'],
    [
      'of invalid UTF-8',
      Buffer.concat([
        Buffer.from('{"model":"gpt-4o","messages":[{"role":"user","content":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}]}'),
      ]),
      400,
      "the request's body is not valid UTF-8",
    ],
    ['with a lone surrogate', chat('"\\ud83d"'), 400, "the request's body is not valid JSON"],
    [
      'with an image',
      chat('[{"type":"image_url","image_url":{"url":"http://x"}}]'),
      400,
      "the request's body has a value that is not read at `messages[].content[].image_url`, so it cannot be checked",
    ],
    [
      'with audio',
      chat('[{"type":"input_audio","input_audio":{}}]'),
      400,
      "the request's body has a value that is not read at `messages[].content[].input_audio`, so it cannot be checked",
    ],
    [
      'with an unknown kind of part',
      chat('[{"type":"video"}]'),
      400,
      'the value at `messages[].content[].type` is none that this gateway reads',
    ],
    [
      'with an unknown role',
      '{"model":"gpt-4o","messages":[{"role":"root","content":"x"}]}',
      400,
      'the value at `messages[].role` is none that this gateway reads',
    ],
    [
      'with an unknown field',
      chat('"x"', ',"EMP-123456":null'),
      400,
      "the request's body has a field that is not known in `body`, so it cannot be checked",
    ],
    [
      'asking for log probabilities',
      chat('"x"', ',"logprobs":true'),
      400,
      "the request's body has a value that is not read at `logprobs`, so it cannot be checked",
    ],
    [
      'asking for hosted tools',
      chat('"x"', ',"tools":[{"type":"web_search"}]'),
      400,
      'the value at `tools[].type` is none that this gateway reads',
    ],
    [
      'asking to be stored',
      chat('"x"', ',"store":true'),
      400,
      "the request's body has a value that is not read at `store`, so it cannot be checked",
    ],
    ['without a model', '{"messages":[]}', 400, 'the request names no model'],
    ['naming an unknown model', chat('"x"').replace('gpt-4o', 'gpt-9'), 403, 'no model of this name may be used'],
  ];
  for (const [name, body, status, message] of cases) {
    test(name, () => expect(refusal({ body })).toEqual([status, message]));
  }

  test('of 20 MB is 413, and one of 16 MiB is read', () => {
    expect(refusal({ body: chat(`"${'a '.repeat(10_000_000)}"`) })[0]).toBe(413);
    const room = 16 * 1024 * 1024 - chat('""').length;
    const long = {
      body: chat(`"${'b'.repeat(room)}"`).replace('gpt-4o', 'gpt-4o'),
      cut: (bytes: Uint8Array) =>
        Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
          bytes.subarray(i * 65_536, (i + 1) * 65_536),
        ),
    };
    expect(run(filter, long).status === 413).toBe(false);
    expect(refusal({ ...long, body: chat(`"${'b'.repeat(room + 1)}"`) })[0]).toBe(413);
  });

  test('in gzip is 415', () => {
    const body = gzipSync(chat('"x"'));
    expect(
      refusal({
        body,
        headers: [
          ['authorization', 'Bearer key-1'],
          ['content-encoding', 'gzip'],
        ],
      })[0],
    ).toBe(415);
    expect(
      refusal({
        body: chat('"x"'),
        headers: [
          ['authorization', 'Bearer key-1'],
          ['content-type', 'multipart/form-data; boundary=x'],
        ],
      })[0],
    ).toBe(415);
    expect(
      refusal({
        body: chat('"x"'),
        headers: [
          ['authorization', 'Bearer key-1'],
          ['content-type', 'application/json; charset=utf-16'],
        ],
      })[0],
    ).toBe(415);
  });

  test('without a length, or ended by trailers, is read like every other', () => {
    const seen = run(filter, {
      body: chat('"EMP-123456"'),
      headers: [['authorization', 'Bearer key-1']],
      trailers: true,
    });
    expect(seen.sent).not.toContain('EMP-123456');
    expect(seen.sentHeaders).toEqual([['x-writ-route', 'model/gpt_4o']]);
  });

  test('that is not there is 400', () => expect(refusal({ body: '' })[0]).toBe(400));
});

describe('a caller', () => {
  test('is known by a token, a key or a certificate, and by nothing else', () => {
    const known = (more: Partial<Exchange>): number => run(filter, { body: chat('"x"'), headers: [], ...more }).status;
    expect(known({})).toBe(401);
    expect(
      known({
        headers: [
          ['x-user', 'u1'],
          ['x-forwarded-user', 'u1'],
          ['x-writ-caller', 'u1'],
          ['x-jwt-payload', 'e30'],
        ],
      }),
    ).toBe(401);
    expect(known({ headers: [['authorization', 'Bearer wrong']] })).toBe(401);
    expect(
      known({
        headers: [
          ['authorization', 'Bearer key-1'],
          ['authorization', 'Bearer key-2'],
        ],
      }),
    ).toBe(401);
    expect(known({ headers: [['authorization', 'Basic key-1']] })).toBe(401);
    expect(known({ headers: [['x-api-key', 'key-1']] })).toBe(0);
    expect(known({ headers: [['authorization', 'bearer key-1']] })).toBe(0);
    expect(known({ jwt: { sub: 'u1', dept: 'support', region: 'us' } })).toBe(0);
  });

  test('with a token is who the token says, whatever key is sent along', () => {
    const seen = run(filter, {
      body: chat('"x"').replace('gpt-4o', 'gpt-4o'),
      jwt: { sub: 'u9', dept: 'hr', region: 'eu' },
      headers: [['x-api-key', 'key-1']],
    });
    // European callers may not use gpt-4o.
    expect(seen).toMatchObject({ sent: null, status: 403 });
  });

  test("is known by a certificate's name as such, and not where it is sent as a key", () => {
    const answer = (san: string | undefined, headers: Exchange['headers']): number =>
      run(filter, { body: chat('"x"'), headers: headers ?? [], ...(san === undefined ? {} : { san }) }).status;
    expect(answer('spiffe://acme/svc', [])).toBe(0);
    expect(answer('spiffe://acme/other', [])).toBe(401);
    expect(answer('key-1', [])).toBe(401);
    for (const name of ['spiffe://acme/svc', '\0spiffe://acme/svc']) {
      expect(answer(undefined, [['x-api-key', name]])).toBe(401);
      expect(answer(undefined, [['authorization', `Bearer ${name}`]])).toBe(401);
      expect(
        answer(undefined, [
          ['x-api-key', name],
          ['authorization', `Bearer ${name}x`],
        ]),
      ).toBe(401);
    }
  });

  test('whose claims have failed is denied', () => {
    expect(
      run(filter, { body: chat('"x"'), jwt: { sub: 'u9', dept: 'nowhere', region: 'us' }, headers: [] }),
    ).toMatchObject({ sent: null, status: 403 });
  });
});

describe('an endpoint', () => {
  test('that no protocol knows is 404', () => {
    for (const path of [
      '/v1/models',
      '/v1/completions',
      '/v1/chat/completions/',
      '/v1/chat/completions?x=1',
      '/V1/chat/completions',
      '//v1/chat/completions',
      '/v1/%63hat/completions',
      '*',
    ]) {
      expect([path, refusal({ path, body: chat('"x"') })[0]]).toEqual([path, 404]);
    }
    expect(refusal({ method: 'PUT', body: chat('"x"') })[0]).toBe(404);
    expect(refusal({ method: 'CONNECT', path: 'x:443', body: '' })[0]).toBe(404);
  });
});

test('a session survives any order of calls', () => {
  const before = filter.bytesInUse();
  for (let order = 0; order < 200; order += 1) {
    const session = filter.newSession({ evidence: { jwt: undefined, san: undefined }, nowMs: 0, nonce: 1n });
    let state = order;
    for (let i = 0; i < 8; i += 1) {
      state = (state * 1103515245 + 12345) % 2147483648;
      const calls = [
        () =>
          session.requestHeaders(
            [
              [':method', 'POST'],
              [':path', '/v1/chat/completions'],
              ['x-api-key', 'key-1'],
            ],
            false,
          ),
        () => session.requestBody(Buffer.from(chat('"x"')), state % 2 === 0),
        () => session.requestTrailers(),
        () =>
          session.responseHeaders(
            [
              [':status', '200'],
              ['content-type', 'text/event-stream'],
            ],
            false,
          ),
        () => session.responseBody(Buffer.from('data: [DONE]\n\n'), state % 3 === 0),
        () => session.responseTrailers(),
        () => session.levels([{ headroom: 1e9, spent: 0 }]),
        () => session.callResponse({ status: 200, body: Buffer.from('{}') }),
        () => session.refuseSpend({ budget: 'support_day', state: 'short' }),
        () => session.outcome(),
      ];
      calls[state % calls.length]?.();
    }
    session.free();
  }
  expect(filter.bytesInUse()).toBeLessThanOrEqual(before + (1 << 16));
});
