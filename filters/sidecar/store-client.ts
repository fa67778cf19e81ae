/**
 * Asks a store what a session wants to know of it: one HTTP call, bounded in time and bytes. A boundary file: it
 * touches the network.
 */
import http from 'node:http';
import https from 'node:https';

export interface StoreCall {
  readonly baseUrl: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: Uint8Array;
}

export interface StoreReply {
  readonly status: number;
  readonly body: Uint8Array;
}

export const CALL_MS_MAX = 5_000;
export const CALL_REPLY_BYTES_MAX = 8 * 1024 * 1024;
const CONNECTIONS_MAX = 64;

const agents = {
  http: new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: 4_000 }),
  https: new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: 4_000 }),
};

/** Undefined when the store did not answer, in time and whole: whoever asked must then deny or withhold. */
export function callStore({ baseUrl, method, path, body }: StoreCall): Promise<StoreReply | undefined> {
  return new Promise((resolve) => {
    const url = new URL(`${baseUrl}${path}`);
    const isTls = url.protocol === 'https:';
    const nothing = (): void => resolve(undefined);
    const request = (isTls ? https : http).request(url, {
      method,
      agent: isTls ? agents.https : agents.http,
      headers: method === 'POST' ? { 'content-type': 'application/json', 'content-length': body.length } : {},
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    request.on('error', nothing);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > CALL_REPLY_BYTES_MAX) request.destroy();
        else chunks.push(chunk);
      });
      response.on('end', () =>
        response.complete && bytes <= CALL_REPLY_BYTES_MAX
          ? resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) })
          : nothing(),
      );
      response.on('error', nothing);
      response.on('close', nothing);
    });
    request.end(body);
  });
}
