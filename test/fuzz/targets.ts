/**
 * What is fuzzed: one body of an exchange each, with everything around it fixed. The policy masks every card number
 * that goes in or comes out, so that none may be found in what leaves.
 */
import type { Exchange } from '../kernel/test-filter.ts';

export const POLICY = `policy fuzz {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: allow
  on failure: deny
  base classification: public
}
zone = onprem | external
classification = public < internal < confidential < restricted
caller {
  id : text from claim "sub"
  groups : set of text from claim "groups" else {}
  clearance : classification from claim "clearance" else public
}
models { zone: zone }
model gpt_4o "gpt-4o" { provider: openai zone: external input_price: 2.50 usd per 1M tokens output_price: 10 usd per 1M tokens context: 128_000 tokens max_output: 4_000 tokens }
store docs chroma "docs" {
  source : text from metadata "source"
  version : int from metadata "version"
  groups : set of text from metadata "allowed_groups"
  classification : classification from metadata "classification" else restricted
}
classify prompt as internal where text contains email
rule prompts
  on prompt
  redact payment_card as mask
rule people
  on prompt
  redact email as placeholder
rule replies
  on completion
  redact payment_card as mask
rule banks
  on completion
  where text contains iban
  deny "no IBAN"
tool pay "pay*" { to: text from argument "to" else "nobody" }
rule nobody_paid
  on tool call to pay
  where tool.to is "nobody"
  drop call
rule in_calls
  on tool call
  redact us_ssn as mask keeping last 4
rule long
  on exchange
  where completion.tokens is above 3 tokens
  tag long = true
rule need_to_know
  on retrieval from docs
  allow chunk where chunk.groups overlaps caller.groups
  withhold chunk unless chunk.classification is at most caller.clearance else say "Some results are withheld"
rule current
  on retrieval from docs
  keep newest chunk.version for each chunk.source
rule found
  on retrieval from docs
  redact payment_card as mask
rule stored
  on ingest into docs
  redact payment_card as mask
  tag note = "checked"
budget day "Spend"
  limit 50 usd per day in "Europe/Berlin"
  else deny "used up"
`;

export const KEYS = [{ key: 'key-1', claims: { sub: 'u1', groups: ['hr'], clearance: 'confidential' } }];

const COLLECTION = '0a0b0c0d-0000-4000-8000-000000000001';
const BASE = '/api/v2/tenants/default_tenant/databases/default_database/collections';
const CARD = '4111 1111 1111 1111';
const SSN = '536-22-1234';

export interface Target {
  readonly name: string;
  /** The body is JSON, and one that passes is JSON for everybody. */
  readonly form: 'json' | 'sse';
  /** Which side of the exchange the fuzzed body is. */
  readonly side: 'request' | 'reply';
  /** A rule masks the texts of this body: all bodies but those of searches, which are the caller's own words. */
  readonly isMasked: boolean;
  exchange(body: Uint8Array): Exchange;
  readonly seeds: readonly string[];
}

const chatRequest = (more: string): string =>
  `{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"hi"}]${more}}`;
const anthropicRequest = (more: string): string =>
  `{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"hi a@b.example"}]${more}}`;
const events = (...all: readonly string[]): string => all.map((each) => `data: ${each}\n\n`).join('');
const named = (...all: readonly (readonly [string, string])[]): string =>
  all.map(([name, data]) => `event: ${name}\ndata: ${data}\n\n`).join('');

function request(name: string, path: string, seeds: readonly string[]): Target {
  const isMasked = !/\/(query|get)$/.test(path);
  return { name, form: 'json', side: 'request', isMasked, seeds, exchange: (body) => ({ path, body, call }) };
}

function reply(name: string, path: string, body: string, type: string, seeds: readonly string[]): Target {
  return {
    name,
    form: type === 'text/event-stream' ? 'sse' : 'json',
    side: 'reply',
    isMasked: true,
    seeds,
    exchange: (fuzzed) => ({ path, body, call, upstream: { type, body: fuzzed } }),
  };
}

/** The store tells that the collection is `docs`, and which versions it has. */
const call: NonNullable<Exchange['call']> = (path) => {
  if (path === `${BASE}/docs`)
    return { status: 200, body: `{"id":"${COLLECTION}","name":"docs","metadata":null,"dimension":3}` };
  return {
    status: 200,
    body: '{"ids":["v"],"metadatas":[{"source":"a.md","version":2,"allowed_groups":["hr"],"classification":"public"}]}',
  };
};

export const targets: readonly Target[] = [
  request('chat request', '/v1/chat/completions', [
    chatRequest(''),
    `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"n":2,"messages":[{"role":"system","content":"\\u0034111 1111 ${'1111'} 1111"},{"role":"user","content":[{"type":"text","text":"4111-1111"},{"type":"text","text":"-1111-1111 \\ud83d\\ude00é a@b.example"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\\"k\\":\\"${CARD}\\"}"}}]},{"role":"tool","tool_call_id":"t","content":"x"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"a":[1,2.5e3,{"b":null}]},"strict":true}}],"tool_choice":"auto","response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"const":"${CARD}"}}},"metadata":{"k":"v"},"stop":["x"],"temperature":0.5,"seed":1}`,
    chatRequest(',"prediction":{"type":"content","content":"x"},"modalities":["text"],"logprobs":null,"user":"u"'),
  ]),
  reply('chat reply', '/v1/chat/completions', chatRequest(''), 'application/json', [
    `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"${CARD} [EMAIL_1_x] \\ud83d\\ude00","refusal":null,"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{\\"x\\":\\"${CARD}\\"}"}}]},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7},"timings":{"x":[1,"y"],"prompt_ms":1.5},"service_tier":"default"}`,
  ]),
  reply('chat stream', '/v1/chat/completions', chatRequest(',"stream":true,"n":2'), 'text/event-stream', [
    events(
      '{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"a 4111 "}}]}',
      '{"choices":[{"index":1,"delta":{"content":"1111"}},{"index":0,"delta":{"content":"1111 1111"}}]}',
      '{"choices":[{"index":0,"delta":{"content":" 1111 b"}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{\\"e\\":\\"4111"}}]}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"11111111"}}]}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1111\\"}"}}]},"finish_reason":"stop"}]}',
      '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
      '[DONE]',
    ),
    ': hello\r\n\r\nid: 1\r\nevent: message\r\ndata: {"choices":[{"index":0,\r\ndata: "delta":{"content":"x"}}]}\r\n\r\nretry: 5\r\n\r\ndata: [DONE]\r\n\r\n',
  ]),
  reply('chat calls', '/v1/chat/completions', chatRequest(''), 'application/json', [
    `{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"s","type":"function","function":{"name":"pay","arguments":"{}"}},{"index":1,"id":"t","type":"function","function":{"name":"pay_now","arguments":"{\\"to\\":\\"${SSN}\\",\\"n\\":{\\"b\\":[\\"${CARD}\\\\n\\"]}}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`,
  ]),
  reply('chat calls stream', '/v1/chat/completions', chatRequest(',"stream":true'), 'text/event-stream', [
    events(
      '{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"s","function":{"name":"pay","arguments":"{"}},{"index":1,"id":"t","function":{"name":"pay_now","arguments":"{\\"to\\":\\"536-"}}]}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"22-1234\\"}"}}]}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}}]}',
      '{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
      '[DONE]',
    ),
  ]),
  request('embeddings request', '/v1/embeddings', [
    `{"model":"gpt-4o","input":["${CARD}","x"],"encoding_format":"float","dimensions":3,"user":"u"}`,
    `{"model":"gpt-4o","input":"${CARD}"}`,
  ]),
  request('anthropic request', '/v1/messages', [
    anthropicRequest(''),
    anthropicRequest(
      `,"system":[{"type":"text","text":"${CARD}","cache_control":{"type":"ephemeral"}}],"stream":true,"stop_sequences":["x"],"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"},"thinking":{"type":"enabled","budget_tokens":5},"metadata":{"user_id":"u"}`,
    ),
    `{"model":"gpt-4o","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"${CARD}"},{"type":"text","text":"4111111111111111"}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":"${CARD}"}},{"type":"thinking","thinking":"t","signature":"s"}]}]}`,
  ]),
  reply('anthropic reply', '/v1/messages', anthropicRequest(''), 'application/json', [
    `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"${CARD}"},{"type":"tool_use","id":"t","name":"f","input":{"a":"${CARD}"}},{"type":"thinking","thinking":"t","signature":"s"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}`,
  ]),
  reply('anthropic stream', '/v1/messages', anthropicRequest(',"stream":true'), 'text/event-stream', [
    named(
      [
        'message_start',
        '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"m","usage":{"input_tokens":3,"output_tokens":1}}}',
      ],
      ['content_block_start', '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'],
      ['ping', '{"type":"ping"}'],
      [
        'content_block_delta',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"4111 1111"}}',
      ],
      [
        'content_block_delta',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" 1111 1111"}}',
      ],
      ['content_block_stop', '{"type":"content_block_stop","index":0}'],
      [
        'content_block_start',
        '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}',
      ],
      [
        'content_block_delta',
        '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\":\\"4111"}}',
      ],
      [
        'content_block_delta',
        '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"111111111111\\"}"}}',
      ],
      ['content_block_stop', '{"type":"content_block_stop","index":1}'],
      [
        'message_delta',
        '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}',
      ],
      ['message_stop', '{"type":"message_stop"}'],
    ),
  ]),
  reply('anthropic calls stream', '/v1/messages', anthropicRequest(',"stream":true'), 'text/event-stream', [
    events(
      '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"m","usage":{}}}',
      '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"s","name":"pay","input":{}}}',
      '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}',
      '{"type":"content_block_stop","index":0}',
      '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"pay_now","input":{}}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\\"to\\":\\"536-22"}}',
      '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"-1234\\"}"}}',
      '{"type":"content_block_stop","index":1}',
      '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}',
      '{"type":"message_stop"}',
    ),
  ]),
  request('chroma query', `${BASE}/${COLLECTION}/query`, [
    '{"query_embeddings":[[0.1,0.2,0.3]],"n_results":3}',
    '{"query_embeddings":[[1]],"n_results":2,"where":{"$and":[{"source":{"$eq":"a"}},{"version":{"$gt":3}}]},"where_document":{"$contains":"x"},"include":["documents","metadatas","distances"],"ids":["a"]}',
  ]),
  reply(
    'chroma reply',
    `${BASE}/${COLLECTION}/query`,
    '{"query_embeddings":[[0.1,0.2,0.3]],"n_results":3}',
    'application/json',
    [
      `{"ids":[["a","b"]],"embeddings":null,"documents":[["d ${CARD}","e"]],"uris":null,"metadatas":[[{"source":"a.md","version":2,"allowed_groups":["hr"],"classification":"public","note":"${CARD}"},{"source":"b.md","version":1,"allowed_groups":["x"],"classification":"public"}]],"distances":[[0.1,0.2]],"include":["documents","metadatas","distances"]}`,
    ],
  ),
  request('chroma get', `${BASE}/${COLLECTION}/get`, [
    '{"ids":["a"],"limit":3,"offset":0,"where":{"source":"a"},"where_document":null,"include":["documents"]}',
  ]),
  reply('chroma get reply', `${BASE}/${COLLECTION}/get`, '{"ids":["a"]}', 'application/json', [
    `{"ids":["a","b"],"documents":["${CARD}",null],"metadatas":[{"source":"a.md","version":2,"allowed_groups":["hr"],"classification":"public"},null],"embeddings":[[1,2],[3,4]],"uris":[null,"u"],"include":["documents"]}`,
  ]),
  request('chroma upsert', `${BASE}/${COLLECTION}/upsert`, [
    `{"ids":["a","b"],"documents":["${CARD}",null],"metadatas":[{"source":"a.md","version":2,"allowed_groups":["hr"],"note":"${CARD}"},null],"embeddings":[[0.1],[0.2]],"uris":[null,"u"]}`,
  ]),
];
