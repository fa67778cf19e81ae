/** Reads OpenAI's documents where the demo looks into them: what was said, what was used, what was refused. */

export interface Usage {
  readonly input: number;
  readonly output: number;
}

/** The text of a reply, of a stream or whole. */
export function contentOf(reply: string): string {
  return documentsOf(reply)
    .map((document) => {
      const choice = members(list(document['choices'])[0]);
      const content = members(choice['message'] ?? choice['delta'])['content'];
      return typeof content === 'string' ? content : '';
    })
    .join('');
}

/** What the reply says was used; undefined when it does not. */
export function usageOf(reply: string): Usage | undefined {
  for (const document of documentsOf(reply)) {
    const { prompt_tokens: input, completion_tokens: output } = members(document['usage']);
    if (typeof input === 'number' && typeof output === 'number') return { input, output };
  }
  return undefined;
}

/** The message of an error. */
export function errorOf(reply: string): string {
  const { error } = documentsOf(reply)[0] ?? {};
  const message = members(error)['message'];
  return typeof message === 'string' ? message : '';
}

/** The data of each frame of a stream, or the one document of a body. What is not JSON is left out. */
export function documentsOf(reply: string): readonly Record<string, unknown>[] {
  const texts = reply.startsWith('data:')
    ? reply
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => line.slice('data: '.length))
    : [reply];
  return texts.map((text) => {
    try {
      return members(JSON.parse(text));
    } catch {
      return {};
    }
  });
}

export function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
