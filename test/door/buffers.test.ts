// Memory that is used again: what messages come into, and what a socket is read into.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInto } from '../../filters/door/http2/read-into.ts';
import { KEPT_BYTES_MAX, MessageBuffers } from '../../filters/door/message-buffers.ts';
import { settles } from '../e2e/settles.ts';

test('room for a message is given again to the next of its size', () => {
  const buffers = new MessageBuffers();
  const first = buffers.take(225_000);
  const second = buffers.take(225_000);
  expect(second).not.toBe(first);
  expect(first.length).toBeGreaterThanOrEqual(225_000);
  buffers.give(first);
  expect(buffers.take(1)).not.toBe(first);
  expect(buffers.take(200_000)).toBe(first);
});

test('no more room is kept than the limit', () => {
  const buffers = new MessageBuffers();
  const size = KEPT_BYTES_MAX / 8;
  const taken = Array.from({ length: 9 }, () => buffers.take(size));
  for (const buffer of taken) buffers.give(buffer);
  expect(buffers.keptBytes).toBe(KEPT_BYTES_MAX);
  const again = Array.from({ length: 9 }, () => buffers.take(size));
  expect(again.filter((buffer) => taken.includes(buffer))).toHaveLength(8);
  expect(buffers.keptBytes).toBe(0);
});

test('sockets of a server are read into one buffer, and counted until they close', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-read-'));
  const path = join(folder, 's');
  const buffer = Buffer.alloc(1_000);
  const reads: { readonly text: string; readonly memory: ArrayBufferLike }[] = [];
  let closed = 0;
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const socket = readInto(accepted, buffer, (bytes) => {
      reads.push({ text: bytes.toString('latin1'), memory: bytes.buffer });
      socket.write(bytes.toString('latin1').toUpperCase());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => closed++);
  });
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  try {
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const clients = [connect(path), connect(path)];
    const received = clients.map((client) => {
      const parts: string[] = [];
      client.on('data', (part) => parts.push(part.toString('latin1')));
      return parts;
    });
    clients.forEach((client, i) => client.write(`first ${i}`));
    await settles(() => received.every((parts) => parts.length === 1));
    clients.forEach((client, i) => client.write(`next ${i}`));
    await settles(() => received.every((parts) => parts.length === 2));
    expect(received).toEqual([
      ['FIRST 0', 'NEXT 0'],
      ['FIRST 1', 'NEXT 1'],
    ]);
    // Were this to fail on a new Node, reads would have become slower, and no less right.
    expect(reads.map(({ memory }) => memory === buffer.buffer)).toEqual([true, true, true, true]);
    expect(await connections()).toBe(2);
    clients[0]?.end();
    clients[1]?.destroy();
    await settles(() => closed === 2);
    expect(await connections()).toBe(0);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(folder, { recursive: true, force: true });
  }
});
