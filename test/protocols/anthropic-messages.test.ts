// Anthropic messages through a session: requests, replies and streams, edited and denied, in every chunking.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, placeholder, run, type Exchange, type Upstream } from '../kernel/test-filter.ts';
import { cuts } from './chunking.ts';
import { POLICY } from './policy.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const CARD = placeholder('PAYMENT_CARD', 1);
const EMP = placeholder('EMPLOYEE_ID', 1);
const path = '/v1/messages';
const headers = [
  ['x-api-key', 'key-1'],
  ['anthropic-version', '2023-06-01'],
  ['content-type', 'application/json; charset=utf-8'],
] as const;
const ask = (exchange: Exchange): ReturnType<typeof run> => run(filter, { path, headers, ...exchange });
const body = (content: string, more = ''): string =>
  `{"model":"gpt-4o","max_tokens":50,"messages":[{"role":"user","content":${content}}]${more}}`;
const says = (content: string): string =>
  `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":${content},"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":6}}`;
const event = (data: string): string => `event: ${(JSON.parse(data) as { type: string }).type}\ndata: ${data}\n\n`;
const stream = (...events: readonly string[]): Upstream => ({
  type: 'text/event-stream; charset=utf-8',
  body: events.map(event).join(''),
});

const START =
  '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1}}}';
const END = [
  '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}',
  '{"type":"message_stop"}',
];
const open = (index: number, block: string): string =>
  `{"type":"content_block_start","index":${index},"content_block":${block}}`;
const piece = (index: number, delta: string): string =>
  `{"type":"content_block_delta","index":${index},"delta":${delta}}`;
const text = (index: number, value: string): string =>
  piece(index, `{"type":"text_delta","text":${JSON.stringify(value)}}`);
const close = (index: number): string => `{"type":"content_block_stop","index":${index}}`;

describe('a request', () => {
  test('system, blocks, tool use and tool results are text', () => {
    const value = (x: string): string =>
      `{"model":"gpt-4o","max_tokens":50,"system":[{"type":"text","text":"${x}","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"${x}"},{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"${x}"}]}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":["${x}"]}},{"type":"thinking","thinking":"${x}","signature":"Zm9v"}]}],"stop_sequences":["${x}"],"metadata":{"user_id":"${x}"},"tools":[{"name":"f","description":"${x}","input_schema":{"type":"object","properties":{"p":{"description":"${x}"}}}}]}`;
    const seen = ask({ body: value('EMP-123456') });
    expect(seen.sent).toBe(value(EMP));
    expect(seen.route).toBe('model/gpt_4o');
  });

  test('the limit is lowered and the model chosen', () => {
    expect(ask({ body: '{"model":"auto","max_tokens":999,"messages":[]}' }).sent).toBe(
      '{"model":"gemma-3-270m","max_tokens":256,"messages":[]}',
    );
  });

  test('images, documents, hosted tools and MCP servers are refused by name', () => {
    for (const refused of [
      body('[{"type":"image","source":{"type":"base64","data":"AAAA"}}]'),
      body('[{"type":"document","source":{"type":"text","data":"x"}}]'),
      body('"x"', ',"tools":[{"type":"web_search_20250305","name":"web_search"}]'),
      body('"x"', ',"mcp_servers":[]'),
      body('"x"', ',"container":"c"'),
    ]) {
      const seen = ask({ body: refused });
      expect(seen).toMatchObject({ sent: null, status: 400 });
      expect(JSON.parse(seen.got)).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    }
  });

  test("nobody is 401, in the protocol's form", () => {
    const seen = run(filter, { path, headers: [['x-api-key', 'other']], body: body('"x"') });
    expect(seen.status).toBe(401);
    expect(JSON.parse(seen.got)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });
});

describe('a reply', () => {
  test('is masked and restored', () => {
    const seen = ask({
      body: body('"I am EMP-123456"'),
      upstream: {
        body: says(
          `[{"type":"text","text":"${EMP} and EMP-999999"},{"type":"tool_use","id":"t","name":"f","input":{"card":"4111 1111 1111 1111"}}]`,
        ),
      },
    });
    expect(seen.got).toBe(
      says(
        '[{"type":"text","text":"EMP-123456 and [EMPLOYEE_ID]"},{"type":"tool_use","id":"t","name":"f","input":{"card":"[PAYMENT_CARD]"}}]',
      ),
    );
    expect(seen.spentMicros).toBe(Math.ceil((12 * 2_500_000 + 6 * 10_000_000) / 1e6));
  });

  test("is denied in the protocol's form", () => {
    const seen = ask({
      body: body('"x"'),
      upstream: { body: says('[{"type":"text","text":"DE89 3704 0044 0532 0130 00"}]') },
    });
    expect(seen.status).toBe(403);
    expect(JSON.parse(seen.got)).toEqual({
      type: 'error',
      error: { type: 'permission_error', message: 'an IBAN may not be said (rule ibans)' },
    });
  });
});

describe('a stream', () => {
  const chatter = [
    START,
    open(0, '{"type":"thinking","thinking":""}'),
    piece(0, '{"type":"thinking_delta","thinking":"is EMP-"}'),
    piece(0, '{"type":"thinking_delta","thinking":"777777?"}'),
    close(0),
    open(1, '{"type":"text","text":""}'),
    text(1, `hi ${EMP.slice(0, 4)}`),
    '{"type":"ping"}',
    text(1, `${EMP.slice(4)} & EMP-9`),
    text(1, '99999'),
    close(1),
    open(2, '{"type":"tool_use","id":"t","name":"f","input":{}}'),
    piece(2, '{"type":"input_json_delta","partial_json":"{\\"c\\":\\"4111 1111 "}'),
    piece(2, '{"type":"input_json_delta","partial_json":"1111 1111\\"}"}'),
    close(2),
    ...END,
  ];

  test('thinking, text and tool input are lanes; block ends settle them', () => {
    const seen = ask({ body: body('"I am EMP-123456"', ',"stream":true'), upstream: stream(...chatter) });
    const events = seen.got
      .split('\n\n')
      .filter(Boolean)
      .map(
        (each) => JSON.parse(each.split('\n')[1]?.slice(6) ?? '') as { index?: number; delta?: Record<string, string> },
      );
    const spoken = (index: number, field: string): string =>
      events
        .filter((each) => each.index === index)
        .map((each) => each.delta?.[field] ?? '')
        .join('');
    expect(spoken(0, 'thinking')).toBe('is [EMPLOYEE_ID]?');
    expect(spoken(1, 'text')).toBe('hi EMP-123456 & [EMPLOYEE_ID]');
    expect(spoken(2, 'partial_json')).toBe('{"c":"[PAYMENT_CARD]"}');
    expect(events).toHaveLength(chatter.length);
    expect(seen.spentMicros).toBe(Math.ceil((12 * 2_500_000 + 9 * 10_000_000) / 1e6));
  });

  test('a denial closes what is open, tells why, and stops', () => {
    const seen = ask({
      body: body('"x"', ',"stream":true'),
      upstream: stream(
        START,
        open(0, '{"type":"text","text":""}'),
        text(0, 'it is DE89 3704 0044'),
        text(0, ' 0532 0130 00.'),
        close(0),
        ...END,
      ),
    });
    expect(seen.got).not.toContain('DE89');
    expect(seen.got).toContain('"text":"it is "');
    expect(seen.got).toContain('event: content_block_stop\ndata: {"type":"content_block_stop","index":0}');
    expect(seen.got).toContain(
      '{"type":"error","error":{"type":"permission_error","message":"an IBAN may not be said (rule ibans)"}}',
    );
    expect(seen.got.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true);
  });

  test('in any chunking', () => {
    const exchange: Exchange = { body: body('"I am EMP-123456"', ',"stream":true'), upstream: stream(...chatter) };
    const expected = ask(exchange);
    expect(expected.got).toContain('[PAYMENT_CARD]');
    for (const [how, cut] of cuts(Buffer.byteLength(chatter.map(event).join('')), 40))
      expect([how, ask({ ...exchange, cut })]).toEqual([how, expected]);
  });
});

test('the card of a request is a placeholder', () => {
  expect(ask({ body: body('[{"type":"text","text":"4111 1111"},{"type":"text","text":" 1111 1111"}]') }).sent).toBe(
    body(`[{"type":"text","text":"${CARD}"},{"type":"text","text":""}]`),
  );
});
