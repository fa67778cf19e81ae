/**
 * OpenAI embeddings. Refused: token-id arrays, which no text scan can read.
 */
import { anyLocal, number, oneOf, text, type Protocol } from './protocol.ts';

export const openaiEmbeddings: Protocol = {
  name: 'openai_embeddings',
  title: 'OpenAI embeddings',
  form: 'openai',
  endpoints: [
    {
      name: 'openai_embeddings',
      method: 'POST',
      path: '/v1/embeddings',
      event: 'prompt',
      request: {
        object: {
          fields: {
            model: { string: 'model' },
            input: { string: 'text', array: { of: { string: 'text' } } },
            encoding_format: oneOf('float', 'base64'),
            dimensions: number,
            user: text,
          },
        },
      },
      reply: {
        object: {
          fields: {
            object: { string: 'local' },
            model: { string: 'local' },
            data: {
              array: {
                of: {
                  object: {
                    fields: {
                      object: { string: 'local' },
                      index: number,
                      // A base64 embedding is numbers, not text; array elements may be numbers or, in llama.cpp's
                      // un-pooled form, arrays of them.
                      embedding: {
                        string: 'plain',
                        array: { of: { number: 'vector', array: { of: { number: 'vector' } } } },
                      },
                    },
                    others: anyLocal,
                  },
                },
              },
            },
            usage: {
              object: {
                as: 'usage',
                fields: { prompt_tokens: { number: 'usage_input' }, total_tokens: number },
                others: anyLocal,
              },
            },
          },
          others: anyLocal,
        },
      },
      settable: { user: text },
      overhead: { request: 16, message: 16 },
      noOutput: true,
    },
  ],
};
