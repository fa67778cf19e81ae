/**
 * Anthropic messages, as Anthropic and llama.cpp's `/v1/messages` speak it.
 * Refused: images, documents, files, hosted tools, MCP servers, containers, redacted thinking.
 */
import {
  anyLane,
  anyLocal,
  anyText,
  flag,
  number,
  oneOf,
  refused,
  text,
  type Place,
  type Protocol,
} from './protocol.ts';

const cacheControl: Place = { object: { fields: { type: oneOf('ephemeral'), ttl: oneOf('5m', '1h') } }, null: 'plain' };

const textPart: Place = {
  object: {
    fields: {
      type: { string: 'enum', values: ['text'] },
      text: { string: 'part' },
      cache_control: cacheControl,
      citations: refused,
    },
  },
};

const block: Place = {
  object: {
    fields: {
      type: { string: 'enum', values: ['text', 'tool_use', 'tool_result', 'thinking'] },
      text: { string: 'part' },
      thinking: { string: 'text' },
      // The provider's own bytes; but the client sends them, and may send anything.
      signature: text,
      id: text,
      name: text,
      input: anyText,
      tool_use_id: text,
      content: { string: 'text', array: { of: textPart } },
      is_error: flag,
      cache_control: cacheControl,
      source: refused,
      citations: refused,
      data: refused,
    },
  },
};

const serviceTier = oneOf('auto', 'standard_only');

const request: Place = {
  object: {
    fields: {
      model: { string: 'model' },
      max_tokens: { number: 'output_limit' },
      messages: {
        array: {
          of: {
            object: {
              as: 'message',
              fields: {
                role: { string: 'role', values: ['user', 'assistant'] },
                content: { string: 'part', array: { of: block } },
              },
            },
          },
        },
      },
      system: { string: 'text', array: { of: textPart }, null: 'plain' },
      stream: { bool: 'stream', null: 'plain' },
      stop_sequences: { array: { of: { string: 'text' } }, null: 'plain' },
      temperature: number,
      top_p: number,
      top_k: number,
      metadata: { object: { fields: { user_id: text } }, null: 'plain' },
      tools: {
        array: {
          of: {
            object: {
              as: 'tool',
              fields: {
                type: oneOf('custom'),
                name: text,
                description: text,
                input_schema: anyText,
                cache_control: cacheControl,
                strict: flag,
              },
            },
          },
        },
        null: 'plain',
      },
      tool_choice: {
        object: { fields: { type: oneOf('auto', 'any', 'tool', 'none'), name: text, disable_parallel_tool_use: flag } },
        null: 'plain',
      },
      thinking: {
        object: { fields: { type: oneOf('enabled', 'disabled', 'adaptive'), budget_tokens: number } },
        null: 'plain',
      },
      service_tier: serviceTier,
      container: refused,
      context_management: refused,
      mcp_servers: refused,
    },
  },
};

const usage: Place = {
  object: {
    as: 'usage',
    fields: {
      // Tokens read from or written to a cache are not in `input_tokens`; at the input's price they are counted no
      // lower than they cost.
      input_tokens: { number: 'usage_input' },
      cache_creation_input_tokens: { number: 'usage_input', null: 'plain' },
      cache_read_input_tokens: { number: 'usage_input', null: 'plain' },
      output_tokens: { number: 'usage_output' },
    },
    others: anyLocal,
  },
  null: 'plain',
};

/** A content block of a reply. In a stream it is the block's opening event. */
const said: Place = {
  object: {
    as: 'choice',
    fields: {
      type: oneOf('text', 'tool_use', 'thinking'),
      text: { string: 'text', lane: 'content' },
      thinking: { string: 'text', lane: 'reasoning' },
      signature: { string: 'local' },
      id: { string: 'local' },
      name: { string: 'tool_name' },
      input: { object: { as: 'tool_input', others: anyLocal }, null: 'plain' },
      citations: { null: 'plain' },
    },
    others: anyLocal,
  },
};

const stopReason: Place = {
  string: 'finish',
  values: [
    'end_turn',
    'max_tokens',
    'stop_sequence',
    'tool_use',
    'pause_turn',
    'refusal',
    'model_context_window_exceeded',
  ],
  open: true,
  null: 'plain',
};

const messageFields: { readonly [name: string]: Place } = {
  id: { string: 'local' },
  type: { string: 'local' },
  role: { string: 'local' },
  model: { string: 'local' },
  content: { array: { of: said } },
  stop_reason: stopReason,
  stop_sequence: { string: 'local', null: 'plain' },
  usage,
};

const delta: Place = {
  object: {
    fields: {
      type: { string: 'local' },
      text: { string: 'text', lane: 'content' },
      thinking: { string: 'text', lane: 'reasoning' },
      partial_json: { string: 'arguments', lane: 'arguments' },
      signature: { string: 'local' },
      stop_reason: stopReason,
      stop_sequence: { string: 'local', null: 'plain' },
    },
    others: anyLane,
  },
};

export const anthropicMessages: Protocol = {
  name: 'anthropic_messages',
  title: 'Anthropic messages',
  form: 'anthropic',
  endpoints: [
    {
      name: 'anthropic_messages',
      method: 'POST',
      path: '/v1/messages',
      event: 'prompt',
      request,
      reply: { object: { fields: messageFields, others: anyLocal } },
      stream: {
        object: {
          fields: {
            type: { string: 'event_type' },
            index: { number: 'choice_index' },
            message: { object: { fields: messageFields, others: anyLocal } },
            content_block: said,
            delta,
            usage,
            error: anyLocal,
          },
          others: anyLocal,
        },
      },
      settable: { temperature: number, top_p: number, top_k: number, service_tier: serviceTier },
      overhead: { request: 16, message: 16 },
      maxTokens: true,
    },
  ],
};
