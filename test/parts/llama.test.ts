// The real llama.cpp server installs, answers in OpenAI's and Anthropic's forms, streams, counts, and stops.
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as llama from '../../examples/parts/llama.ts';
import { isGone } from './is-gone.ts';

let running: llama.RunningLlama;

beforeAll(async () => {
  await llama.install();
  running = await llama.start({ alias: 'small', contextTokens: 512, threads: 1 });
});

afterAll(async () => {
  await running.stop();
  expect(isGone(running.pid)).toBe(true);
});

test('completes one token and counts it', async () => {
  const reply = (await (await post('/v1/chat/completions', { ...oneToken })).json()) as {
    model: string;
    choices: readonly unknown[];
    usage: { completion_tokens: number; prompt_tokens: number };
  };
  expect(reply.model).toBe('small');
  expect(reply.choices).toHaveLength(1);
  expect(reply.usage.completion_tokens).toBe(1);
  expect(reply.usage.prompt_tokens).toBeGreaterThan(1);
});

test('streams, with the usage in the last event but one', async () => {
  const body = { ...oneToken, stream: true, stream_options: { include_usage: true } };
  const text = await (await post('/v1/chat/completions', body)).text();
  const events = text.split('\n\n').filter((event) => event !== '');
  expect(events.at(-1)).toBe('data: [DONE]');
  expect(events.at(-2)).toContain('"completion_tokens":1');
});

// One string and no object: between an object's tokens its grammar lets a model fill the reply with blanks.
test('says what it is told to say, by a schema', async () => {
  const said = '4111 1111 1111 1111';
  const body = {
    ...oneToken,
    max_tokens: 60,
    response_format: { type: 'json_schema', json_schema: { name: 'card', schema: { const: said } } },
  };
  const reply = (await (await post('/v1/chat/completions', body)).json()) as {
    choices: readonly { message: { content: string } }[];
  };
  expect(JSON.parse(reply.choices[0]?.message.content ?? '')).toBe(said);
});

test("speaks Anthropic's messages", async () => {
  const reply = (await (await post('/v1/messages', { ...oneToken })).json()) as {
    type: string;
    usage: { output_tokens: number };
  };
  expect(reply.type).toBe('message');
  expect(reply.usage.output_tokens).toBe(1);
});

test('runs beside another one', async () => {
  const other = await llama.start({ alias: 'frontier', contextTokens: 512, threads: 1 });
  try {
    const models = (await (await fetch(`${other.url}/v1/models`)).json()) as { data: readonly { id: string }[] };
    expect(models.data.map(({ id }) => id)).toEqual(['frontier']);
    expect(other.port).not.toBe(running.port);
  } finally {
    await other.stop();
  }
  expect(isGone(other.pid)).toBe(true);
});

const oneToken = { model: 'small', messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 1 } as const;

function post(path: string, body: object): Promise<Response> {
  return fetch(`${running.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
