// Webhooks of recipients for a test: an HTTP server that checks each message's signature by itself, and, on another path,
// never answers.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readWebhooks, type Webhooks } from '../../control-plane/notices/webhook.ts';

export interface ReceivedNotice {
  readonly id: string;
  readonly isSigned: boolean;
  readonly body: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

export interface WebhookReceiver {
  /** Of the control plane: `desk` answers, `stuck` hangs. */
  readonly webhooks: Webhooks;
  readonly desk: readonly ReceivedNotice[];
  /** Ids of what has come to the one that hangs. */
  readonly stuck: readonly string[];
  stop(): Promise<void>;
}

const KEY = Buffer.alloc(32, 7);
/** A receiver refuses what is older, or newer: it may be a copy of somebody's. */
const TOLERANCE_MS = 5 * 60_000;

/** `now` is the clock of whoever sends. */
export async function startWebhookReceiver(now: () => number): Promise<WebhookReceiver> {
  const desk: ReceivedNotice[] = [];
  const stuck: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      const header = (name: string): string => String(request.headers[`webhook-${name}`] ?? '');
      if (request.url !== '/desk') return void stuck.push(header('id'));
      const expected = createHmac('sha256', KEY)
        .update(`${header('id')}.${header('timestamp')}.${body}`)
        .digest();
      const given = Buffer.from(header('signature').replace(/^v1,/, ''), 'base64');
      const isNear = Math.abs(Number(header('timestamp')) * 1_000 - now()) < TOLERANCE_MS;
      const isSigned = isNear && given.length === expected.length && timingSafeEqual(given, expected);
      desk.push({ id: header('id'), isSigned, body: JSON.parse(body) as ReceivedNotice['body'] });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const secret = `whsec_${KEY.toString('base64')}`;
  const at = (path: string) => ({ url: `http://127.0.0.1:${port}/${path}`, secret });
  return {
    webhooks: readWebhooks(JSON.stringify({ desk: at('desk'), stuck: at('stuck') })),
    desk,
    stuck,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
