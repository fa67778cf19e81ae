// Callers by API key, one a group: what a deployment says of them, and a question to a model in their name.
import { createHash, randomBytes } from 'node:crypto';

export interface Answered {
  readonly status: number;
  readonly said: string;
}

export interface KeyCallers {
  /** For a deployment's `identity`; every caller has the claims `sub` and `groups`, and what `more` says. */
  apiKeys(more?: (group: string) => object): readonly { readonly sha256: string; readonly claims: object }[];
  /** Asks the model `m-1`; `fields` stand beside the message. */
  ask(url: string, group: string, content: string, fields?: object): Promise<Answered>;
}

export function keyCallers(groups: readonly string[]): KeyCallers {
  const keys = new Map(groups.map((group) => [group, `sk-${randomBytes(16).toString('hex')}`]));
  return {
    apiKeys: (more = () => ({})) =>
      [...keys].map(([group, key]) => ({
        sha256: createHash('sha256').update(key).digest('hex'),
        claims: { sub: group, groups: [group], ...more(group) },
      })),
    async ask(url, group, content, fields = {}) {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content }], ...fields }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${keys.get(group)}` },
      });
      return { status: response.status, said: await response.text() };
    },
  };
}
