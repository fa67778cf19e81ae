// What is packed when a filter is linked is what the filter unpacks, whatever it is, and packed tables are small.
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { pack } from '../../compiler/wasm/pack.ts';
import { compileModule } from '../../filters/kernel/build.ts';
import { pick, seeded } from '../text/random-text.ts';

const seed = Number(process.env['WRIT_SEED'] ?? 5);
const AT = 65_536;
const PAGE_BYTES = 65_536;
const PAGES = 64;

let unpack: (image: Uint8Array) => Uint8Array;

beforeAll(async () => {
  const entry = fileURLToPath(new URL('../../filters/kernel/unpack.ts', import.meta.url));
  const module = new WebAssembly.Module(Uint8Array.from(await compileModule(entry)));
  unpack = (image) => {
    const packed = pack(image);
    const packedAt = AT + image.length;
    const policy = {
      packedAt: () => packedAt,
      packedEnd: () => packedAt + packed.length,
      unpackedAt: () => AT,
    };
    const { memory, unpackTables } = new WebAssembly.Instance(module, { policy }).exports as {
      readonly memory: WebAssembly.Memory;
      readonly unpackTables: () => void;
    };
    memory.grow(PAGES - memory.buffer.byteLength / PAGE_BYTES);
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(packed, packedAt);
    unpackTables();
    expect(bytes.subarray(packedAt, packedAt + packed.length), 'what is packed is not written over').toEqual(packed);
    return bytes.slice(AT, packedAt);
  };
});

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(7)],
  ['three zeros', new Uint8Array(3)],
  ['many zeros', new Uint8Array(70_000)],
  ...[14, 15, 16, 269, 270, 271, 524, 525].map((length): [string, Uint8Array] => [
    `${length} different bytes in a row`,
    differing(length),
  ]),
  ...[4, 18, 19, 20, 273, 274, 275].map((length): [string, Uint8Array] => [
    `a match of ${length}`,
    Buffer.concat([differing(600), differing(length)]),
  ]),
  ...[65_534, 65_535, 65_536].map((distance): [string, Uint8Array] => [
    `a match ${distance} back`,
    repeatedAfter(distance),
  ]),
])('%s', (_, image) => {
  expect(Buffer.compare(unpack(image), image)).toBe(0);
});

test('random tables', () => {
  const random = seeded(seed);
  for (let i = 0; i < 300; i += 1) {
    const parts: Uint8Array[] = [];
    for (let n = Math.floor(random() * 40); n > 0; n -= 1) {
      const size = Math.floor(random() ** 3 * 400);
      const fresh = Uint8Array.from({ length: size }, () => Math.floor(random() * 4) * Math.floor(random() * 64));
      parts.push(parts.length > 0 && random() < 0.5 ? pick(random, parts) : fresh);
    }
    const image = Buffer.concat(parts);
    expect(Buffer.compare(unpack(image), image), `seed ${seed}, image ${i}`).toBe(0);
  }
});

test('records of small numbers become less than half', () => {
  const image = new Uint8Array(Uint32Array.from({ length: 4_000 }, (_, i) => [i * 24, 1, 0, 0][i % 4] ?? 0).buffer);
  expect(pack(image).length).toBeLessThan(image.length / 2);
});

/** Bytes in which no four in a row come twice. */
function differing(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? (i >> 1) & 255 : ((i >> 9) * 16 + 3) & 255));
}

/** Four bytes, others, and the four again so far behind. */
function repeatedAfter(distance: number): Uint8Array {
  const image = new Uint8Array(distance + 4);
  image.set([1, 2, 3, 4]);
  image.set([1, 2, 3, 4], distance);
  return image;
}
