/**
 * OpenAI chat completions, as OpenAI, vLLM, llama.cpp, TGI and Ollama's `/v1` speak it.
 * Refused: images, audio, files, token ids, log probabilities, hosted tools, anything stored or taken from earlier
 * answers.
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

const toolCall = (name: 'local' | 'tool_name'): Place => ({
  object: {
    as: 'tool_call',
    fields: {
      index: { number: 'tool_index' },
      id: { string: 'local', null: 'plain' },
      type: { string: 'enum', values: ['function'], null: 'plain' },
      function: {
        object: {
          fields: {
            name: { string: name, null: 'plain' },
            arguments: { string: 'arguments', null: 'plain', lane: 'arguments' },
          },
        },
        null: 'plain',
      },
    },
  },
});

const part: Place = {
  object: {
    fields: {
      type: { string: 'enum', values: ['text', 'refusal'] },
      text: { string: 'part' },
      refusal: { string: 'part' },
      image_url: refused,
      input_audio: refused,
      file: refused,
    },
  },
};

const message: Place = {
  object: {
    as: 'message',
    fields: {
      role: { string: 'role', values: ['system', 'developer', 'user', 'assistant', 'tool', 'function'] },
      content: { string: 'part', array: { of: part }, null: 'plain' },
      name: text,
      refusal: text,
      reasoning_content: text,
      tool_call_id: text,
      tool_calls: { array: { of: toolCall('local') }, null: 'plain' },
      function_call: refused,
      audio: refused,
    },
  },
};

const functionTool: Place = {
  object: {
    as: 'tool',
    fields: {
      type: { string: 'enum', values: ['function'] },
      function: { object: { fields: { name: text, description: text, parameters: anyText, strict: flag } } },
    },
  },
};

const reasoningEffort = oneOf('none', 'minimal', 'low', 'medium', 'high');
const verbosity = oneOf('low', 'medium', 'high');
const serviceTier = oneOf('auto', 'default', 'flex', 'priority');

const request: Place = {
  object: {
    fields: {
      model: { string: 'model' },
      messages: { array: { of: message } },
      stream: { bool: 'stream', null: 'plain' },
      stream_options: {
        object: {
          as: 'stream_options',
          fields: { include_usage: { bool: 'include_usage' }, include_obfuscation: flag },
        },
        null: 'empty',
      },
      max_tokens: { number: 'output_limit', null: 'empty' },
      max_completion_tokens: { number: 'output_limit', null: 'empty' },
      n: { number: 'choices', null: 'plain' },
      temperature: number,
      top_p: number,
      top_k: number,
      min_p: number,
      typical_p: number,
      frequency_penalty: number,
      presence_penalty: number,
      repeat_penalty: number,
      repetition_penalty: number,
      seed: number,
      stop: { string: 'text', array: { of: { string: 'text' } }, null: 'plain' },
      user: text,
      safety_identifier: text,
      prompt_cache_key: text,
      metadata: { object: { others: { string: 'text' } }, null: 'plain' },
      store: refused,
      logit_bias: refused,
      logprobs: { null: 'plain' },
      top_logprobs: { null: 'plain' },
      modalities: { array: { of: oneOf('text') }, null: 'plain' },
      audio: refused,
      prediction: {
        object: { fields: { type: oneOf('content'), content: { string: 'text', array: { of: part } } } },
        null: 'plain',
      },
      response_format: {
        object: {
          fields: {
            type: oneOf('text', 'json_object', 'json_schema'),
            json_schema: { object: { fields: { name: text, description: text, schema: anyText, strict: flag } } },
            schema: anyText,
          },
        },
        null: 'plain',
      },
      tools: { array: { of: functionTool }, null: 'plain' },
      tool_choice: {
        string: 'enum',
        values: ['none', 'auto', 'required'],
        object: { fields: { type: oneOf('function'), function: { object: { fields: { name: text } } } } },
        null: 'plain',
      },
      parallel_tool_calls: flag,
      functions: refused,
      function_call: refused,
      web_search_options: refused,
      reasoning_effort: reasoningEffort,
      verbosity,
      service_tier: serviceTier,
    },
  },
};

/** The fields of a message in a reply, and those of a delta in a stream. */
const said: Place = {
  object: {
    fields: {
      role: oneOf('assistant', 'system', 'user', 'tool', 'developer'),
      content: { string: 'text', null: 'plain', lane: 'content' },
      refusal: { string: 'text', null: 'plain', lane: 'refusal' },
      reasoning_content: { string: 'text', null: 'plain', lane: 'reasoning' },
      reasoning: { string: 'text', null: 'plain', lane: 'other' },
      tool_calls: { array: { as: 'tool_calls', of: toolCall('tool_name') }, null: 'plain' },
      // A call in the old form, which no client can ask for here, and which no rule would see.
      function_call: { null: 'plain' },
      audio: { null: 'plain' },
    },
    others: anyLane,
  },
};

const finishReason: Place = {
  string: 'finish',
  values: ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'],
  open: true,
  null: 'plain',
};

/**
 * A measurement by the server: a fraction of so many digits that, read as text, now and then one would look like a card
 * number. Like a vector's, its digits are not scanned.
 */
const measured: Place = { number: 'vector', null: 'plain' };
/** llama.cpp's. */
const timings: Place = {
  object: {
    fields: {
      cache_n: measured,
      prompt_n: measured,
      prompt_ms: measured,
      prompt_per_token_ms: measured,
      prompt_per_second: measured,
      predicted_n: measured,
      predicted_ms: measured,
      predicted_per_token_ms: measured,
      predicted_per_second: measured,
      draft_n: measured,
      draft_n_accepted: measured,
    },
    others: anyLocal,
  },
  null: 'plain',
};

const reply = (field: 'message' | 'delta'): Place => ({
  object: {
    fields: {
      id: { string: 'local' },
      object: { string: 'local' },
      created: number,
      model: { string: 'local' },
      choices: {
        array: {
          as: 'choice_list',
          of: {
            object: {
              as: 'choice',
              fields: {
                index: { number: 'choice_index' },
                [field]: said,
                finish_reason: finishReason,
                logprobs: { null: 'plain' },
              },
              others: anyLane,
            },
          },
        },
      },
      usage: {
        object: {
          as: 'usage',
          fields: {
            prompt_tokens: { number: 'usage_input' },
            completion_tokens: { number: 'usage_output' },
            total_tokens: number,
          },
          others: anyLocal,
        },
        null: 'plain',
      },
      timings,
    },
    others: anyLocal,
  },
});

export const openaiChat: Protocol = {
  name: 'openai_chat',
  title: 'OpenAI chat completions',
  form: 'openai',
  endpoints: [
    {
      name: 'openai_chat',
      method: 'POST',
      path: '/v1/chat/completions',
      event: 'prompt',
      request,
      reply: reply('message'),
      stream: reply('delta'),
      settable: {
        store: flag,
        temperature: number,
        top_p: number,
        seed: number,
        frequency_penalty: number,
        presence_penalty: number,
        parallel_tool_calls: flag,
        reasoning_effort: reasoningEffort,
        verbosity,
        service_tier: serviceTier,
        user: text,
        safety_identifier: text,
        prompt_cache_key: text,
      },
      overhead: { request: 16, message: 16 },
      askUsage: true,
      maxTokens: true,
    },
  ],
};
