/** Applications of Acme: they know the gateway's address and their caller's token, and nothing of the policy. */

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Gateway {
  readonly url: string;
  readonly signal: AbortSignal;
}

/** Longer than any answer of the demo takes on a slow machine. */
const ANSWER_MS_MAX = 60_000;

export async function post({ url, signal }: Gateway, path: string, token: string, body: object): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
  });
  return { status: response.status, body: await response.text() };
}

export interface Question {
  readonly model: string;
  readonly text: string;
  readonly maxTokens: number;
  /** Forces what the model says. */
  readonly schema?: object;
  readonly stream?: boolean;
}

export function chatBody({ model, text, maxTokens, schema, stream = false }: Question): object {
  return {
    model,
    messages: [{ role: 'user', content: text }],
    max_tokens: maxTokens,
    temperature: 0,
    ...(stream ? { stream } : {}),
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } } }),
  };
}

export function ask(gateway: Gateway, token: string, question: Question): Promise<Answer> {
  return post(gateway, '/v1/chat/completions', token, chatBody(question));
}
