// OpenAI chat completions through a session: requests, replies and streams, edited and denied, in every chunking.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import type { BudgetLevel } from '../../filters/door/session-port.ts';
import { filterOf, KEYS, placeholder, run, type Exchange, type Seen, type Upstream } from '../kernel/test-filter.ts';
import { cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY, [
    ...KEYS,
    { key: 'key-eu', claims: { sub: 'u2', dept: 'hr', region: 'eu' } },
    { key: 'key-hr', claims: { sub: 'u3', dept: 'hr', region: 'us' } },
  ]);
});

const CARD = placeholder('PAYMENT_CARD', 1);
const EMAIL = placeholder('EMAIL', 1);
const EMP = placeholder('EMPLOYEE_ID', 1);

const chat = (content: string, more = ''): string =>
  `{"model":"gpt-4o","messages":[{"role":"user","content":${content}}],"max_tokens":100${more}}`;
const says = (content: string, more = ''): string =>
  `{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":${content}},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}${more}}`;
const sse = (...events: readonly string[]): Upstream => ({
  type: 'text/event-stream',
  body: events.map((each) => `data: ${each}\n\n`).join(''),
});
const delta = (content: string, index = 0): string =>
  `{"id":"c1","choices":[{"index":${index},"delta":{"content":${JSON.stringify(content)}}}]}`;
const stop = (index = 0): string => `{"id":"c1","choices":[{"index":${index},"delta":{},"finish_reason":"stop"}]}`;

/** The text of each choice in an SSE reply. */
function spoken(got: string): string[] {
  const choices: string[] = [];
  for (const line of got.split(/\r\n|\n|\r/)) {
    if (!line.startsWith('data:') || line.includes('[DONE]')) continue;
    const event = JSON.parse(line.slice(5)) as {
      choices?: { index: number; delta: { content?: string; tool_calls?: { function?: { arguments?: string } }[] } }[];
    };
    for (const { index, delta: piece } of event.choices ?? []) {
      choices[index] =
        (choices[index] ?? '') + (piece.content ?? '') + (piece.tool_calls?.[0]?.function?.arguments ?? '');
    }
  }
  return choices;
}

describe('a request', () => {
  test('without anything to edit leaves byte for byte', () => {
    const body =
      ' {"model" : "gpt-4o",\r\n"messages":[{"role":"user","content":"caf\\u00e9 \\ud83d\\ude00 \u00e9\u{1f600}"}],"temperature":1.0e0, "max_tokens":100}\n';
    const seen = run(filter, { body });
    expect(seen.sent).toBe(body);
    expect(seen.sentHeaders).toEqual([['x-writ-route', 'model/gpt_4o']]);
    expect(seen.route).toBe('model/gpt_4o');
  });

  test('is redacted in place, and nothing around changes', () => {
    const seen = run(filter, {
      body: chat('"é\\u00e9 card 4111 1111 1111 1111, \\ud83d\\ude00 EMP-123456 & a@b.example."'),
    });
    expect(seen.sent).toBe(chat(`"é\\u00e9 card ${CARD}, \\ud83d\\ude00 ${EMP} & ${EMAIL}."`));
    expect(seen.sentHeaders).toContainEqual(['content-length', String(Buffer.byteLength(seen.sent ?? ''))]);
  });

  test('escapes inside a match are seen and removed with it', () => {
    const seen = run(filter, {
      body: chat('"x\\u0034111 \\u00311\\u0031\\u0031 1111 111\\u0031y? EM\\u0050\\u002d123456"'),
    });
    expect(seen.sent).toBe(chat(`"x\\u0034111 \\u00311\\u0031\\u0031 1111 111\\u0031y? ${EMP}"`));
    const card = run(filter, { body: chat('"\\u0034111 \\u00311\\u0031\\u0031 1111 111\\u0031!"') });
    expect(card.sent).toBe(chat(`"${CARD}!"`));
  });

  test('the same value has the same placeholder, different ones have different ones, and the reply restores them', () => {
    const seen = run(filter, {
      body: chat('"EMP-111111 EMP-222222 EMP-111111"'),
      upstream: (sent) => ({
        body: says(
          JSON.stringify(`echo ${(JSON.parse(sent) as { messages: { content: string }[] }).messages[0]?.content}`),
        ),
      }),
    });
    expect(seen.sent).toContain(`"${EMP} ${placeholder('EMPLOYEE_ID', 2)} ${EMP}"`);
    expect(seen.got).toBe(says('"echo EMP-111111 EMP-222222 EMP-111111"'));
  });

  test('what is restored is escaped as JSON', () => {
    const strange = 'policy';
    expect(strange).toBe('policy');
    const seen = run(filter, { body: chat('"mail \\"a@b.example\\""'), upstream: { body: says(`"to ${EMAIL}\\n"`) } });
    expect(seen.sent).toBe(chat(`"mail \\"${EMAIL}\\""`));
    expect(seen.got).toBe(says('"to a@b.example\\n"'));
  });

  test('adjacent text parts of a message are one lane; other messages are not', () => {
    const parts = '[{"type":"text","text":"card 4111 1111 "},{"type":"text","text":"1111 1111"}]';
    expect(run(filter, { body: chat(parts) }).sent).toBe(
      chat(`[{"type":"text","text":"card ${CARD}"},{"type":"text","text":""}]`),
    );
    const two =
      '{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"4111 1111 "},{"role":"user","content":"1111 1111"}]}';
    expect(run(filter, { body: two }).sent).toBe(two);
  });

  test('tool-call arguments are unescaped twice, edited, and stay JSON', () => {
    const call = (args: string): string =>
      `{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":${JSON.stringify(args)}}}]}]}`;
    const seen = run(filter, { body: call('{"to":"a\\u0040b.example","n":"4111 1111 1111 1111 \\"q\\""}') });
    expect(seen.sent).toBe(call(`{"to":"${EMAIL}","n":"${CARD} \\"q\\""}`));
    expect(run(filter, { body: call('{"n":4111111111111111}') })).toMatchObject({ sent: null, status: 403 });
    expect(run(filter, { body: call('not json a@b.example') })).toMatchObject({ sent: null, status: 403 });
  });

  test('tool schemas, stop words, names, metadata and the user are text', () => {
    const body = (value: string): string =>
      `{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","name":"${value}","content":"x"}],"stop":["${value}"],"user":"${value}","metadata":{"k":"${value}"},"tools":[{"type":"function","function":{"name":"f","description":"${value}","parameters":{"enum":["${value}"]}}}]}`;
    expect(run(filter, { body: body('EMP-123456') }).sent).toBe(body(EMP));
  });

  test('a value in a key or in a number cannot be redacted, and is refused', () => {
    expect(run(filter, { body: chat('"x"', ',"metadata":{"EMP-123456":"x"}') })).toMatchObject({
      sent: null,
      status: 403,
    });
    expect(run(filter, { body: chat('"x"', ',"seed":4111111111111111') })).toMatchObject({ sent: null, status: 403 });
    expect(run(filter, { body: chat('"x"', ',"seed":4111111111111112') }).sent).not.toBeNull();
  });

  test('the chosen model, the lowered limit and the usage of a stream are written into it', () => {
    const seen = run(filter, {
      body: '{"model":"auto","stream":true,"max_tokens":900,"messages":[{"role":"user","content":"hi"}]}',
    });
    expect(seen.sent).toBe(
      '{"stream_options":{"include_usage":true},"model":"gemma-3-270m","stream":true,"max_tokens":256,"messages":[{"role":"user","content":"hi"}]}',
    );
    const none = run(filter, {
      body: '{"model":"auto","max_tokens":null,"stream":true,"stream_options":null,"messages":[]}',
    });
    expect(none.sent).toBe(
      '{"model":"gemma-3-270m","max_tokens":256,"stream":true,"stream_options":{"include_usage":true},"messages":[]}',
    );
    const other = run(filter, {
      body: '{"model":"auto","stream":true,"stream_options":{ "include_obfuscation":false},"messages":[]}',
    });
    expect(other.sent).toBe(
      '{"max_tokens":256,"model":"gemma-3-270m","stream":true,"stream_options":{"include_usage":true, "include_obfuscation":false},"messages":[]}',
    );
    const no = run(filter, {
      body: '{"model":"auto","stream":true,"stream_options":{"include_usage":false},"max_completion_tokens":300,"messages":[]}',
    });
    expect(no.sent).toBe(
      '{"model":"gemma-3-270m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":256,"messages":[]}',
    );
  });

  describe('a budget without room is 429', () => {
    const ask = (level: BudgetLevel): Seen => run(filter, { body: chat('"x"'), levels: [level] });
    const said = (seen: Seen): unknown => JSON.parse(seen.got).error.message;
    const retryAfter = ({ gotHeaders }: Seen): string | undefined =>
      gotHeaders.find(([name]) => name === 'retry-after')?.[1];

    test("in the protocol's form", () => {
      const seen = ask({ headroom: 10, spent: 49_999_990 });
      expect(seen).toMatchObject({ sent: null, status: 429 });
      expect(JSON.parse(seen.got)).toMatchObject({ error: { type: 'budget_exceeded', code: 'writ_denied' } });
    });

    test.each([
      ['something is left', { headroom: 10, spent: 49_999_990 }, 'not enough left for this request'],
      ['nothing is left', { headroom: 0, spent: 50_000_000 }, 'nothing left'],
      [
        'nothing is here and nobody can be asked',
        { headroom: 0, spent: 0, isPart: true },
        'not enough left for this request',
      ],
    ])("and says so where %s, beside the officer's own text", (_, level, state) => {
      expect(said(ask(level))).toBe(`support's budget for today does not cover this (budget support_day: ${state})`);
    });

    test('and says when it begins anew, where that is known', () => {
      const level = { headroom: 0, spent: 50_000_000 };
      expect(retryAfter(ask(level))).toBeUndefined();
      // Rather a second late than early.
      expect(retryAfter(ask({ ...level, windowLeftMs: 59_001 }))).toBe('61');
      expect(retryAfter(ask({ ...level, windowLeftMs: 31 * 86_400_000 }))).toBe(String(31 * 86_400 + 1));
    });

    test('and nobody is told when to come back where no budget was the reason', () => {
      const seen = run(filter, {
        body: chat('"x"').replace('gpt-4o', 'nope'),
        levels: [{ headroom: 0, spent: 0, windowLeftMs: 1_000 }],
      });
      expect(seen.status).toBe(403);
      expect(retryAfter(seen)).toBeUndefined();
    });
  });

  test.each([
    ['nothing_left', 429, "support's budget for today does not cover this (budget support_day: nothing left)", '61'],
    [
      'short',
      429,
      "support's budget for today does not cover this (budget support_day: not enough left for this request)",
      '61',
    ],
    ['unreadable', 503, 'what is left of a budget cannot be read at the moment (budget support_day)', undefined],
  ] as const)('what cannot be reserved after all is refused: %s', (state, status, message, seconds) => {
    const seen = run(filter, {
      body: chat('"x"'),
      levels: [{ headroom: 1e9, spent: 0, windowLeftMs: 60_000 }],
      shortage: { budget: 'support_day', state },
    });
    expect(seen).toMatchObject({ sent: null, status, spentMicros: 0 });
    expect(JSON.parse(seen.got).error.message).toBe(message);
    expect(seen.gotHeaders.find(([name]) => name === 'retry-after')?.[1]).toBe(seconds);
  });

  test('what may be spent is reserved, and what was is settled', () => {
    const seen = run(filter, { body: chat('"x"'), upstream: { body: says('"y"') } });
    // 1 byte of text and 16 + 16 tokens of template, 100 tokens of reply.
    expect(seen.reserve).toEqual([
      { budget: 'support_day', amount: Math.ceil((33 * 2_500_000 + 100 * 10_000_000) / 1e6) },
    ]);
    expect(seen.spentMicros).toBe(Math.ceil((10 * 2_500_000 + 4 * 10_000_000) / 1e6));
    expect(
      run(filter, { body: chat('"x"'), upstream: { body: says('"y"').replace(/,"usage":\{[^}]*\}/, '') } }).spentMicros,
    ).toBeUndefined();
  });

  test('a budget whose level cannot be had is 403 for its own callers, and nothing for others', () => {
    const seen = run(filter, { body: chat('"x"'), levels: [undefined] });
    expect(seen).toMatchObject({ sent: null, status: 403, reserve: [] });
    expect(seen.records[0]).toMatchObject({
      outcome: 'deny',
      reasons: [{ kind: 'failed', rule: 'budget support_day', facts: ['budget.support_day.headroom'] }],
    });
    const other = run(filter, {
      body: chat('"x"'),
      headers: [['authorization', 'Bearer key-hr']],
      levels: [undefined],
      upstream: { body: says('"y"') },
    });
    expect(other).toMatchObject({ sent: chat('"x"'), status: 200, reserve: [] });
    expect(other.records[0]).toMatchObject({ outcome: 'allow', model: 'gpt_4o', failed: [] });
  });

  test('headers of ours and the wish for compression do not go on', () => {
    const seen = run(filter, {
      body: chat('"x"'),
      headers: [
        ['authorization', 'Bearer key-1'],
        ['x-writ-route', 'model/gemma'],
        ['x-writ-caller', 'boss'],
        ['accept-encoding', 'gzip'],
      ],
    });
    expect(seen.removed).toEqual(['x-writ-route', 'x-writ-caller', 'accept-encoding']);
    expect(seen.route).toBe('model/gpt_4o');
  });
});

describe('a reply', () => {
  test('is masked where it is new, and left where it is not', () => {
    const seen = run(filter, {
      body: chat('"I am EMP-123456"'),
      upstream: { body: says(`"You are ${EMP}, not EMP-999999 with 4111-1111-1111-1111"`) },
    });
    expect(seen.got).toBe(says('"You are EMP-123456, not [EMPLOYEE_ID] with [PAYMENT_CARD]"'));
    expect(seen.gotHeaders).toContainEqual(['content-length', String(Buffer.byteLength(seen.got))]);
  });

  test('a value of the prompt in another grouping is not new', () => {
    const seen = run(filter, {
      body: '{"model":"auto","messages":[{"role":"user","content":"4111 1111 1111 1111"}]}',
      upstream: { body: says('"4111-1111-1111-1111"') },
    });
    expect(seen.got).toBe(says('"4111-1111-1111-1111"'));
  });

  test('placeholders stay in tool arguments and in URLs', () => {
    const message = `{"role":"assistant","content":"see https://x.example/?q=${EMP} and ${EMP}","tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\\"e\\":\\"${EMP}\\"}"}}]}`;
    const seen = run(filter, {
      body: chat('"I am EMP-123456"'),
      upstream: { body: says('"x"').replace('{"role":"assistant","content":"x"}', message) },
    });
    expect(seen.got).toBe(
      says('"x"').replace('{"role":"assistant","content":"x"}', message.replace(`and ${EMP}`, 'and EMP-123456')),
    );
  });

  test('unknown fields of a server are scanned', () => {
    const seen = run(filter, {
      body: chat('"x"'),
      upstream: { body: says('"y"', ',"timings":{"note":"EMP-999999","ms":1.5},"system_fingerprint":"b1"') },
    });
    expect(seen.got).toBe(says('"y"', ',"timings":{"note":"[EMPLOYEE_ID]","ms":1.5},"system_fingerprint":"b1"'));
    expect(run(filter, { body: chat('"x"'), upstream: { body: says('"y"', ',"EMP-999999":1') } }).status).toBe(403);
  });

  test('is denied as a whole, with the rule', () => {
    const seen = run(filter, { body: chat('"x"'), upstream: { body: says('"DE89 3704 0044 0532 0130 00"') } });
    expect(seen.status).toBe(403);
    expect(JSON.parse(seen.got)).toEqual({
      error: {
        message: 'an IBAN may not be said (rule ibans)',
        type: 'policy_denied',
        param: null,
        code: 'writ_denied',
      },
    });
    expect(seen.spentMicros).toBe(65);
  });

  test('an error of the upstream is scanned, or replaced where it cannot be read', () => {
    const seen = run(filter, {
      body: chat('"x"'),
      upstream: { status: 422, body: '{"error":{"message":"bad EMP-999999"}}' },
    });
    expect(seen).toMatchObject({ status: 422, got: '{"error":{"message":"bad [EMPLOYEE_ID]"}}', spentMicros: 0 });
    const html = run(filter, {
      body: chat('"x"'),
      upstream: { status: 502, type: 'text/html', body: '<p>EMP-999999' },
    });
    expect(html.status).toBe(502);
    expect(html.got).not.toContain('EMP-999999');
  });

  test('compressed or broken, it is 502', () => {
    expect(
      run(filter, { body: chat('"x"'), upstream: { body: says('"y"'), headers: [['content-encoding', 'gzip']] } })
        .status,
    ).toBe(502);
    expect(run(filter, { body: chat('"x"'), upstream: { body: says('"y"').slice(0, -9) } }).status).toBe(502);
  });
});

const streamed = (content: string): string => chat(content, ',"stream":true');

describe('a stream', () => {
  test('a value split over events is masked once, in its first piece', () => {
    const seen = run(filter, {
      body: streamed('"x"'),
      upstream: sse(delta('call EM'), delta('P-99'), delta('9999 no'), delta('w'), stop(), '[DONE]'),
    });
    expect(spoken(seen.got)).toEqual(['call [EMPLOYEE_ID] now']);
    expect(seen.got).toBe(sse(delta('call [EMPLOYEE_ID]'), delta(''), delta(' no'), delta('w'), stop(), '[DONE]').body);
  });

  test('a placeholder split over events is restored; in a URL it stays', () => {
    const pieces = [
      `see http://x/`,
      `${EMP.slice(0, 5)}`,
      `${EMP.slice(5)} or ${EMP.slice(0, 20)}`,
      EMP.slice(20),
      '.',
    ];
    const seen = run(filter, {
      body: streamed('"I am EMP-123456"'),
      upstream: sse(...pieces.map((each) => delta(each)), stop(), '[DONE]'),
    });
    expect(spoken(seen.got)).toEqual([`see http://x/${EMP} or EMP-123456.`]);
  });

  test('choices are lanes of their own', () => {
    const seen = run(filter, {
      body: streamed('"x"').replace('"stream"', '"n":2,"stream"'),
      upstream: sse(
        delta('a EMP-', 0),
        delta('b 4111 1111', 1),
        delta('999999', 0),
        delta(' 1111 1111 z', 1),
        stop(0),
        stop(1),
        '[DONE]',
      ),
    });
    expect(spoken(seen.got)).toEqual(['a [EMPLOYEE_ID]', 'b [PAYMENT_CARD] z']);
  });

  test('tool arguments are masked across events, also where an inner escape is split', () => {
    const piece = (args: string): string =>
      `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":${JSON.stringify(args)}}}]}}]}`;
    const seen = run(filter, {
      body: streamed('"x"'),
      upstream: sse(
        piece('{"to":"bob\\u00'),
        piece('40b.exa'),
        piece('mple","e":"EM\\u0050-999999"'),
        piece('}'),
        stop(),
        '[DONE]',
      ),
    });
    expect(spoken(seen.got)).toEqual(['{"to":"[EMAIL]","e":"[EMPLOYEE_ID]"}']);
  });

  test('a denial cuts before the match and ends as the protocol does', () => {
    const seen = run(filter, {
      body: streamed('"x"'),
      upstream: sse(
        delta('It is '),
        delta('so: DE89 3704 0044'),
        delta(' 0532 0130 00 '),
        delta('more'),
        stop(),
        '[DONE]',
      ),
    });
    expect(spoken(seen.got)).toEqual(['It is so: ']);
    expect(seen.got).not.toContain('DE89');
    expect(seen.got).not.toContain('more');
    expect(seen.got).toContain('"finish_reason":"content_filter"');
    expect(seen.got).toContain('an IBAN may not be said (rule ibans)');
    expect(seen.got.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('a denial ends the choices that are still open, and no others', () => {
    const seen = run(filter, {
      body: streamed('"x"').replace('"stream"', '"n":2,"stream"'),
      upstream: sse(delta('fine', 0), stop(0), delta('so: DE89 3704 0044 0532 0130 00 ', 1), '[DONE]'),
    });
    const ends = seen.got
      .split('\n')
      .filter((line) => line.includes('"content_filter"'))
      .map((line) => (JSON.parse(line.slice(6)) as { choices: { index: number }[] }).choices[0]?.index);
    expect(ends).toEqual([1]);
    expect(seen.got).toContain(stop(0));
  });

  test('usage is read, and its event leaves only if the client asked', () => {
    const usage = '{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}';
    const quiet = run(filter, { body: streamed('"x"'), upstream: sse(delta('hi'), stop(), usage, '[DONE]') });
    expect(quiet.got).toBe(sse(delta('hi'), stop(), '[DONE]').body);
    expect(quiet.spentMicros).toBe(Math.ceil((7 * 2_500_000 + 3 * 10_000_000) / 1e6));
    const asked = run(filter, {
      body: chat('"x"', ',"stream":true,"stream_options":{"include_usage":true}'),
      upstream: sse(delta('hi'), stop(), usage, '[DONE]'),
    });
    expect(asked.got).toBe(sse(delta('hi'), stop(), usage, '[DONE]').body);
  });

  test('comments, CR LF, data without a space and several data lines are understood', () => {
    const body = `: ping\r\n\r\ndata:${delta('a EMP-99')}\r\n\r\ndata: {"choices":\r\ndata: [{"index":0,"delta":{"content":"9999 b"}}]}\r\nid: 7\r\n\r\ndata: [DONE]\r\n\r\n`;
    const seen = run(filter, { body: streamed('"x"'), upstream: { type: 'text/event-stream', body } });
    expect(seen.got).toBe(
      `:\n\ndata:${delta('a [EMPLOYEE_ID]')}\r\n\r\ndata: {"choices": [{"index":0,"delta":{"content":" b"}}]}\n\ndata: [DONE]\r\n\r\n`,
    );
    const leak = run(filter, {
      body: streamed('"x"'),
      upstream: { type: 'text/event-stream', body: `: EMP-999999\n\ndata: [DONE]\n\n` },
    });
    expect(leak.got).not.toContain('EMP-999999');
  });

  test('a stream that breaks off or is not JSON never leaks what is held', () => {
    const cut = run(filter, { body: streamed('"x"'), upstream: sse(delta('a EMP-99'), delta('9999')) });
    expect(spoken(cut.got)).toEqual(['a [EMPLOYEE_ID]']);
    const broken = run(filter, {
      body: streamed('"x"'),
      upstream: { type: 'text/event-stream', body: `data: ${delta('a')}\n\ndata: {"choices":[{"EMP-999999\n\n` },
    });
    expect(broken.got).not.toContain('EMP-999999');
    expect(broken.got).toContain('content_filter');
  });

  test('a client that hangs up pays the reservation, or what the usage said', () => {
    const seen = run(filter, {
      body: streamed('"x"'),
      upstream: sse(delta('aaa'), delta('bbb'), stop(), '[DONE]'),
      hangUpAfter: 1,
      cut: (bytes) =>
        Array.from({ length: Math.ceil(bytes.length / 30) }, (_, i) => bytes.subarray(i * 30, i * 30 + 30)),
    });
    expect(seen.spentMicros).toBeUndefined();
    expect(seen.reserve).toHaveLength(1);
  });
});

describe('any chunking gives the same bytes', () => {
  const fixtures: readonly (readonly [string, Exchange])[] = [
    [
      'request and reply',
      {
        body: chat('"é EM\\u0050-123456 \\ud83d\\ude00 a@b.example 4111 1111 1111 1111"'),
        upstream: { body: says(`"\\ud83d\\ude00${EMP} EMP-9\\u00399999 é"`) },
      },
    ],
    [
      'a stream',
      {
        body: streamed('"I am EMP-123456"'),
        upstream: sse(
          delta('é😀 EMP-9'),
          delta('99999'),
          `{"choices":[{"index":0,"delta":{"content":"\\u0045MP-\\ud83d\\ude00 ${EMP.slice(0, 9)}"}}]}`,
          delta(`${EMP.slice(9)} a@b.ex`),
          delta('ample'),
          stop(),
          '[DONE]',
        ),
      },
    ],
    [
      'a stream in CR LF',
      {
        body: streamed('"x"'),
        upstream: {
          type: 'text/event-stream',
          body: `: k\r\n\r\ndata: ${delta('EMP-9')}\r\n\r\ndata: ${delta('99999')}\r\n\r\ndata: [DONE]\r\n\r\n`,
        },
      },
    ],
    [
      'a stream in CR',
      {
        body: streamed('"x"'),
        upstream: {
          type: 'text/event-stream',
          body: `data: ${delta('EMP-9')}\r\rdata: ${delta('99999')}\r\rdata: [DONE]\r\r`,
        },
      },
    ],
    [
      'a denied stream',
      { body: streamed('"x"'), upstream: sse(delta('so DE89 3704 0044'), delta(' 0532 0130 00 x'), stop(), '[DONE]') },
    ],
    [
      'with trailers',
      {
        body: streamed('"I am EMP-123456"'),
        trailers: true,
        upstream: sse(delta('EMP-9'), delta('99999'), stop(), '[DONE]'),
      },
    ],
    ['a refused request', { body: chat('"x"', ',"nope":1') }],
  ];
  for (const [name, exchange] of fixtures) {
    test(name, () => {
      const expected = run(filter, exchange);
      const upstream = typeof exchange.upstream === 'object' ? Buffer.byteLength(exchange.upstream.body as string) : 0;
      const length = Math.max(Buffer.byteLength(exchange.body as string), upstream);
      for (const [how, cut] of cuts(length, 60))
        expect([how, run(filter, { ...exchange, cut })]).toEqual([how, expected]);
    });
  }
});
