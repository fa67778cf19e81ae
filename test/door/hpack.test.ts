// Header blocks: as Node's client sends them, as the RFC gives them, and as nobody may send them.
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as F from '../../filters/door/http2/frame.ts';
import { FIELDS_BYTES_MAX, HpackDecoder } from '../../filters/door/http2/hpack-decoder.ts';
import type { HeaderField } from '../../filters/door/http2/hpack-decoder.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import { settles } from '../e2e/settles.ts';
import { frame, split } from './frames.ts';

const seed = seedOfRun();

describe('header blocks', () => {
  test("of Node's client are decoded as they were sent, whatever is in its table", async () => {
    const random = randomFrom(seed + 1);
    const sent: HeaderField[][] = [];
    const blocks: Buffer[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'writ-hpack-'));
    const path = join(folder, 'raw.sock');
    const raw = createServer((socket) => {
      let received: Buffer = Buffer.alloc(0);
      socket.write(frame(F.SETTINGS, 0, 0));
      socket.on('data', (part) => {
        received = Buffer.concat([received, part]);
        blocks.length = 0;
        for (const { type, payload } of split(received.subarray(F.PREFACE.length)))
          if (type === F.HEADERS) blocks.push(payload);
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => raw.listen(path, resolve));
    const session = http2.connect('http://writ', { createConnection: () => connect(path) });
    session.on('error', () => undefined);
    for (let count = 0; count < 90; count++) {
      const value = (): string =>
        Array.from({ length: random.int(0, 120) }, () => String.fromCharCode(random.int(0x21, 0x7e))).join('');
      const fields: HeaderField[] = [
        [':method', 'POST'],
        [':path', `/${random.int(0, 9)}`],
        [':authority', 'writ'],
        [':scheme', 'http'],
        ...Array.from({ length: random.int(0, 6) }, (_, i) => [`x-${random.int(0, 20)}-${i}`, value()] as const),
      ];
      sent.push(fields);
      session.request(Object.fromEntries(fields)).on('error', () => undefined);
    }
    await settles(() => blocks.length === sent.length);
    const decoder = new HpackDecoder();
    const sorted = (fields: readonly HeaderField[]): string[] =>
      fields.map(([name, value]) => `${name}: ${value}`).sort();
    blocks.forEach((block, i) =>
      expect(sorted(decoder.read(block)), `block ${i} of seed ${seed}`).toEqual(sorted(sent[i] ?? [])),
    );
    session.destroy();
    await new Promise((resolve) => raw.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  // RFC 7541, appendix C.4: with Huffman, each block on the table that the one before has left.
  test('of the RFC are decoded as it says', () => {
    const decoder = new HpackDecoder();
    const first = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ];
    expect(decoder.read(Buffer.from('828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex'))).toEqual(first);
    expect(decoder.read(Buffer.from('828684be5886a8eb10649cbf', 'hex'))).toEqual([
      ...first,
      ['cache-control', 'no-cache'],
    ]);
    expect(decoder.read(Buffer.from('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf', 'hex'))).toEqual([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      [':authority', 'www.example.com'],
      ['custom-key', 'custom-value'],
    ]);
  });

  test.each([
    ['an integer that does not end', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['index zero', [0x80]],
    ['false padding', [0x00, 0x81, 0xfe, 0x00]],
    ['a byte of padding', [0x00, 0x81, 0xff, 0x00]],
    ['EOS', [0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]],
    ['a table size after a field', [0x82, 0x20]],
    ['a table above what was offered', [0x3f, 0xe2, 0x1f]],
    ['an entry that was evicted', [0x40, 0x01, 0x61, 0x01, 0x62, 0x20, 0xbe]],
  ])('with %s are refused', (_, bytes) => {
    expect(() => new HpackDecoder().read(Uint8Array.from(bytes))).toThrow(F.ConnectionError);
  });

  test('have fields up to the limit, and none above it', () => {
    // One entry of the table, named again and again, by one byte.
    const entry = Buffer.concat([Buffer.from([0x40, 0x01, 0x61, 0x7f, 0x80, 0x01]), Buffer.alloc(255, 'v')]);
    const size = 1 + 255 + 32;
    const times = Math.floor(FIELDS_BYTES_MAX / size);
    expect(new HpackDecoder().read(Buffer.concat([entry, Buffer.alloc(times - 1, 0xbe)]))).toHaveLength(times);
    expect(() => new HpackDecoder().read(Buffer.concat([entry, Buffer.alloc(times, 0xbe)]))).toThrow(F.ConnectionError);
  });
});
