/** Replies that call tools, in the shapes that OpenAI and Anthropic document, whole and streamed letter by letter. */
import type { Upstream } from '../kernel/test-filter.ts';

export interface Call {
  readonly name?: string;
  readonly arguments: object;
}

export const wire = (fields: object): string => JSON.stringify(fields);
export const openai = {
  request: {
    path: '/v1/chat/completions',
    body: wire({ model: 'gpt-4o', messages: [{ role: 'user', content: 'pay' }] }),
  },
  whole: (calls: readonly Call[]): Upstream => ({
    body: wire({
      id: 'c',
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: 'tool_calls',
          message: {
            role: 'assistant',
            content: 'about it',
            tool_calls: calls.map((call, at) => ({
              id: `call_${at}`,
              type: 'function',
              function: { name: call.name, arguments: JSON.stringify(call.arguments) },
            })),
          },
        },
      ],
    }),
  }),
  stream: (calls: readonly Call[]): Upstream => {
    const delta = (piece: object): object => ({ id: 'c', choices: [{ index: 0, delta: piece }] });
    const names = calls.map((call, index) =>
      delta({
        tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: call.name, arguments: '' } }],
      }),
    );
    // One letter of each call in turn.
    const texts = calls.map((call) => [...JSON.stringify(call.arguments)]);
    const pieces = Array.from({ length: Math.max(0, ...texts.map((text) => text.length)) }, (_, at) =>
      texts.flatMap((text, index) =>
        text[at] === undefined ? [] : [delta({ tool_calls: [{ index, function: { arguments: text[at] } }] })],
      ),
    ).flat();
    const end = { id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
    return sse([delta({ content: 'about it' }), ...names, ...pieces, end].map(wire), '[DONE]');
  },
};

export const anthropic = {
  request: {
    path: '/v1/messages',
    body: wire({ model: 'gpt-4o', max_tokens: 9, messages: [{ role: 'user', content: 'pay' }] }),
  },
  whole: (calls: readonly Call[]): Upstream => ({
    body: wire({
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'text', text: 'about it' },
        ...calls.map((call, at) => ({ type: 'tool_use', id: `t${at}`, name: call.name, input: call.arguments })),
      ],
      stop_reason: 'tool_use',
    }),
  }),
  stream: (calls: readonly Call[]): Upstream => {
    const block = (index: number, start: object, deltas: readonly object[]): readonly object[] => [
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ];
    const events = [
      { type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', content: [], usage: {} } },
      ...block(0, { type: 'text', text: '' }, [{ type: 'text_delta', text: 'about it' }]),
      ...calls.flatMap((call, at) =>
        block(
          at + 1,
          { type: 'tool_use', id: `t${at}`, name: call.name, input: {} },
          [...JSON.stringify(call.arguments)].map((letter) => ({ type: 'input_json_delta', partial_json: letter })),
        ),
      ),
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 3 } },
      { type: 'message_stop' },
    ];
    return sse(events.map(wire));
  },
};

export function sse(events: readonly string[], ...last: readonly string[]): Upstream {
  return { type: 'text/event-stream', body: [...events, ...last].map((each) => `data: ${each}\n\n`).join('') };
}
