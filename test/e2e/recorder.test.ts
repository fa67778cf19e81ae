// The demo's evidence: what the recorder says an upstream received is what it received.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { BODY_BYTES_MAX, EXCHANGES_MAX, type Recorder, startRecorder } from '../../examples/demo/recorder.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** An upstream that echoes, with a recorder in front of it. */
async function recorded(handler: http.RequestListener): Promise<Recorder> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => void server.close(resolve).closeAllConnections()));
  const recorder = await startRecorder(Promise.resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  stops.push(recorder.stop);
  return recorder;
}

const echo: http.RequestListener = (request, response) => {
  response.writeHead(201, { 'x-upstream': 'yes' });
  request.pipe(response);
};

test('passes request and reply unchanged, and keeps both', async () => {
  const recorder = await recorded(echo);
  const mark = recorder.mark();
  const body = Buffer.from('{"a":"ü"}');
  const response = await fetch(`${recorder.url}/v1/x?y=1`, { method: 'POST', body });
  expect([response.status, response.headers.get('x-upstream'), await response.text()]).toEqual([
    201,
    'yes',
    '{"a":"ü"}',
  ]);
  expect(recorder.since(mark)).toMatchObject([{ method: 'POST', path: '/v1/x?y=1', status: 201 }]);
  expect([recorder.since(mark)[0]?.request, recorder.since(mark)[0]?.reply]).toEqual([body, body]);
  expect(recorder.since(recorder.mark())).toEqual([]);
});

test('a stream passes piece by piece', async () => {
  let finish: () => void = () => undefined;
  const recorder = await recorded((_, response) => {
    response.write('data: 1\n\n');
    finish = () => response.end('data: 2\n\n');
  });
  const response = await fetch(recorder.url);
  const reader = response.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n');
  finish();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 2\n\n');
  expect(recorder.since(0)[0]?.reply.toString()).toBe('data: 1\n\ndata: 2\n\n');
});

test('an upstream that is gone is 502', async () => {
  const recorder = await startRecorder(Promise.resolve('http://127.0.0.1:1'));
  stops.push(recorder.stop);
  expect((await fetch(recorder.url)).status).toBe(502);
});

test('keeps no more of a body than its limit, and passes all of it', async () => {
  const recorder = await recorded(echo);
  const body = Buffer.alloc(BODY_BYTES_MAX + 1, 'x');
  const response = await fetch(recorder.url, { method: 'POST', body });
  expect((await response.arrayBuffer()).byteLength).toBe(body.length);
  expect(recorder.since(0)[0]?.request.length).toBe(BODY_BYTES_MAX);
  expect(recorder.since(0)[0]?.reply.length).toBeLessThanOrEqual(BODY_BYTES_MAX);
});

test('forgets the oldest exchange beyond its limit', async () => {
  const recorder = await recorded((_, response) => void response.end());
  for (let sent = 0; sent <= EXCHANGES_MAX; sent += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, EXCHANGES_MAX + 1 - sent) }, async () => (await fetch(recorder.url)).text()),
    );
  }
  expect(recorder.since(0)).toHaveLength(EXCHANGES_MAX);
  expect(recorder.since(0)[0]?.number).toBe(2);
});
