// The clients of a soak: each has one request in flight, chosen from a mix by a seed, until it is told to stop.
import http from 'node:http';
import { randomFrom } from '../differential/random.ts';
import { CARD, EMAIL, HANG } from './soak-upstream.ts';

export interface TrafficOptions {
  readonly port: number;
  readonly key: string;
  readonly clients: number;
  readonly seed: number;
}

export interface Traffic {
  /** Requests that came to their end, by kind. */
  readonly counts: () => Readonly<Record<Kind, number>>;
  readonly failed: () => number;
  /** The first failures, for people. */
  readonly failures: readonly string[];
  /** Resolves when nothing is in flight. */
  stop(): Promise<void>;
}

const KINDS = { plain: 55, large: 4, stream: 30, hang: 4, denied: 7 };
export type Kind = keyof typeof KINDS;

const FAILURES_SHOWN_MAX = 10;
const REPLY_MS_MAX = 30_000;
const LARGE_BYTES = 225_000;

export function startTraffic({ port, key, clients, seed }: TrafficOptions): Traffic {
  const counts: Record<Kind, number> = { plain: 0, large: 0, stream: 0, hang: 0, denied: 0 };
  const failures: string[] = [];
  let failed = 0;
  let isOver = false;
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  const random = randomFrom(seed);
  const client = async (): Promise<void> => {
    const choices = random.fork();
    while (!isOver) {
      const kind = choices.weighted(KINDS);
      try {
        await exchange(agent, { port, key, kind });
      } catch (error) {
        failed += 1;
        if (failures.length < FAILURES_SHOWN_MAX) failures.push(`${kind}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      counts[kind] += 1;
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    counts: () => counts,
    failed: () => failed,
    failures,
    stop: async () => {
      isOver = true;
      await all;
      agent.destroy();
    },
  };
}

const text = `The card is ${CARD}, the order came on Monday, and it is to be sent to the old address. `;
const bodyOf = (prompt: string, more: object = {}): string =>
  JSON.stringify({ model: 'm', ...more, messages: [{ role: 'user', content: prompt }] });
/** 1.8 KB, but for one. */
const bodies: { readonly [K in Kind]: string } = {
  plain: bodyOf(text.repeat(20)),
  large: bodyOf(text.repeat(LARGE_BYTES / text.length)),
  stream: bodyOf(text.repeat(20), { stream: true }),
  hang: bodyOf(`${HANG} ${text.repeat(20)}`, { stream: true }),
  denied: bodyOf('x', { model: 'unknown' }),
};

/** One request of a kind, to its end. Rejects where anything is not as it should be. */
export function exchange(
  agent: http.Agent,
  { port, key, kind }: { readonly port: number; readonly key: string; readonly kind: Kind },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = bodies[kind];
    const request = http.request(
      {
        agent,
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/v1/chat/completions',
        headers: {
          'content-type': 'application/json',
          'content-length': body.length,
          authorization: `Bearer ${key}`,
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (part: Buffer) => {
          parts.push(part);
          if (kind !== 'hang' || response.statusCode !== 200) return;
          response.removeAllListeners('error').on('error', () => undefined);
          request.removeAllListeners('error').on('error', () => undefined);
          request.destroy();
          resolve();
        });
        response.on('end', () => {
          const wrong = problem(kind, response.statusCode ?? 0, Buffer.concat(parts).toString());
          if (wrong === undefined) resolve();
          else reject(new Error(wrong));
        });
      },
    );
    request.setTimeout(REPLY_MS_MAX, () => request.destroy(new Error('no reply in time')));
    request.on('error', reject);
    request.end(body);
  });
}

function problem(kind: Kind, status: number, reply: string): string | undefined {
  const shown = reply.slice(0, 300);
  if (kind === 'denied') return status >= 400 && status < 500 ? undefined : `status ${status}: ${shown}`;
  if (status !== 200) return `status ${status}: ${shown}`;
  if (kind === 'hang') return `it ended: ${shown}`;
  const said = kind === 'stream' ? spoken(reply) : reply;
  if (said.includes(EMAIL)) return 'the address came through';
  if (!said.includes('[EMAIL]')) return `no masked address: ${shown}`;
  return kind === 'stream' && !reply.endsWith('data: [DONE]\n\n') ? 'the stream has no end' : undefined;
}

function spoken(reply: string): string {
  return [...reply.matchAll(/^data: (\{.*\})$/gm)]
    .flatMap(([, data]) => (JSON.parse(data ?? '') as { choices: { delta: { content?: string } }[] }).choices)
    .map(({ delta }) => delta.content ?? '')
    .join('');
}
