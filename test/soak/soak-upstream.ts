// The upstream of a soak: answers plainly, in a stream, or begins a stream and waits until it is hung up on. It counts
// what its own usage costs, and looks in every body for what must never arrive.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** Micro-units a token, and tokens. */
export const INPUT_PRICE = 10;
export const OUTPUT_PRICE = 100;
export const OUTPUT_TOKENS = 40;

/** The number that the prompts hold and that the policy masks. */
export const CARD = '4111 1111 1111 1111';
/** The address that the replies hold and that the policy masks. */
export const EMAIL = 'jane.doe@example.com';
/** Stands at the beginning of a prompt whose reply is given up. */
export const HANG = '[hang]';

export interface SoakUpstream {
  readonly port: number;
  /** Micro-units of all that was answered to the end. */
  readonly spent: () => number;
  /** Streams that began and were hung up on. */
  readonly hung: () => number;
  /** Bodies in which the card number stood. */
  readonly leaks: () => number;
  stop(): Promise<void>;
}

export async function startSoakUpstream(): Promise<SoakUpstream> {
  let spent = 0;
  let hung = 0;
  let leaks = 0;
  let count = 0;
  const cardDigits = CARD.replaceAll(' ', '');
  const server = http.createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (body.includes(CARD) || body.includes(cardDigits)) leaks += 1;
      const prompt_tokens = 400;
      const completion_tokens = 1 + (count++ % OUTPUT_TOKENS);
      const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
      const isStream = body.includes('"stream":true');
      if (isStream) response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (body.includes(HANG)) {
        response.on('close', () => {
          hung += 1;
        });
        response.write(frame({ choices: [{ index: 0, delta: { content: 'This will take a while. ' } }] }));
        response.write(frame({ choices: [{ index: 0, delta: { content: 'So it' } }] }));
        return;
      }
      spent += prompt_tokens * INPUT_PRICE + completion_tokens * OUTPUT_PRICE;
      if (isStream) response.end(streamed(usage));
      else response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...plain, usage }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    spent: () => spent,
    hung: () => hung,
    leaks: () => leaks,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const SAYS = `Ask ${EMAIL} about it, she will know what to do, and when, and why.`;
const plain = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: SAYS } }],
};
const frame = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
/** In pieces that cut words and the address. */
const WORDS = (SAYS.match(/.{1,7}/g) ?? [])
  .map((content) => frame({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
  .join('');
const streamed = (usage: object): string =>
  `${WORDS}${frame({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}${frame({ choices: [], usage })}data: [DONE]\n\n`;
