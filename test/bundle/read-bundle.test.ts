// Archives made to harm: what is no plain file, too large, too many, or leads out of its folder is refused before it
// costs anything.
import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BUNDLE_FILES_MAX, BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { canonicalJson, canonicalJsonBytes } from '../../compiler/bundle/canonical-json.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { writeTar } from '../../compiler/bundle/tar.ts';
import { packBundle, writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { bytes, files, good, refusal, signed } from './fixtures.ts';

const limits = { bytesMax: 10_000, filesMax: 3 };
const read = (bundle: Uint8Array, within = limits) => refusal(() => readBundle(bundle, within));

/** An archive of one file whose header was edited; its checksum is set right again. */
function edited(edit: (header: Uint8Array) => void): Uint8Array {
  const tar = Uint8Array.from(writeTar(new Map([['/a', bytes('content')]])));
  edit(tar.subarray(0, 512));
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.set(bytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return gzipSync(tar);
}

describe('limits', () => {
  test('of bytes hold to the byte', () => {
    expect(read(packBundle(new Map([['/a', new Uint8Array(10_000)]])))).toBe('');
    expect(
      read(
        packBundle(
          new Map([
            ['/a', new Uint8Array(5_000)],
            ['/b', new Uint8Array(5_001)],
          ]),
        ),
      ),
    ).toBe('too_large');
  });

  test('of files hold to the file', () => {
    const many = (count: number) =>
      packBundle(new Map(Array.from({ length: count }, (_, index) => [`/${index}`, bytes('')])));
    expect(read(many(3))).toBe('');
    expect(read(many(4))).toBe('too_many_files');
  });

  test('stop a bomb before it is unpacked', () => {
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    expect(read(bomb)).toBe('too_large');
  });

  test('hold for the writer too', () => {
    const crowd = new Map(Array.from({ length: BUNDLE_FILES_MAX + 1 }, (_, index) => [`/writ/${index}`, bytes('')]));
    expect(refusal(() => writeBundle(crowd, signed))).toBe('too_many_files');
  });
});

describe('an entry', () => {
  test.each(['1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S'])('of type %s is no plain file', (type) => {
    expect(read(edited((header) => header.set(bytes(type), 156)))).toBe('not_a_file');
  });

  test.each(['a', '../a', '/../a', '/a/../b', '/a/./b', '/a//b', '/a/', '/', '/a\\b', '/c:/b', '/a\u0007'])(
    'may not be called %j',
    (path) => {
      expect(read(edited((header) => header.fill(0, 0, 100).set(bytes(path))))).toBe('bad_path');
      expect(refusal(() => writeTar(new Map([[path, bytes('')]])))).toBe('bad_path');
    },
  );

  test('may not be called what is not UTF-8', () =>
    expect(read(edited((header) => header.set([0x2f, 0xff], 0)))).toBe('bad_path'));

  test('may not come twice', () => {
    const tar = writeTar(new Map([['/a', bytes('one')]]));
    expect(read(gzipSync(Buffer.concat([tar.subarray(0, 1024), tar])))).toBe('duplicate_path');
  });

  test('may not lie about its size', () => {
    expect(read(edited((header) => header.set(bytes('00000007777\0'), 124)))).toBe('truncated');
    expect(read(edited((header) => header.set([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], 124)))).toBe('not_tar');
    expect(read(edited((header) => header.set(bytes('-0000000007\0'), 124)))).toBe('not_tar');
  });

  test('must have its own checksum', () => {
    const tar = Uint8Array.from(writeTar(new Map([['/a', bytes('content')]])));
    tar[0] = 0x2e;
    expect(read(gzipSync(tar))).toBe('not_tar');
  });
});

test('what is no gzip is refused', () => {
  expect(read(bytes('not gzip'))).toBe('not_gzip');
  expect(read(new Uint8Array())).toBe('truncated');
  expect(read(deflateRawSync(bytes('x')))).toBe('not_gzip');
});

describe('the writer', () => {
  test.each([
    '/plan.json',
    '/writ/plan.json',
    '/writ/data.json',
    '/writ/policy.wasm',
    '/data.yaml',
    '/patch.json',
    '/.manifest',
    '/x.manifest',
    '/.signatures.json',
  ])('refuses %s, which OPA would take for its own', (path) => {
    expect(refusal(() => writeBundle(new Map([[path, bytes('{}')]]), signed))).toBe('bad_path');
  });

  test('refuses a path that tar cannot hold', () => {
    expect(refusal(() => writeTar(new Map([[`/${'a'.repeat(101)}`, bytes('')]])))).toBe('bad_path');
    expect(refusal(() => writeTar(new Map([[`/${'a'.repeat(155)}/${'b'.repeat(100)}`, bytes('')]])))).toBe('bad_path');
    expect([
      ...readBundle(packBundle(new Map([[`/${'a'.repeat(154)}/${'b'.repeat(100)}`, bytes('')]]))).keys(),
    ]).toEqual([`/${'a'.repeat(154)}/${'b'.repeat(100)}`]);
  });

  test("keeps the mask of Node's versions out of the bytes", () => {
    // The gzip header names no time and no system, and the first block is stored, not compressed.
    expect([...good.slice(0, 11)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0]);
  });

  test("writes data in OPA's canonical form, and refuses data that has none", () => {
    expect(Buffer.from(canonicalJsonBytes(bytes('{"b":1,"a":{"é":[ true,null,"\\u2028</"],"z":-0}}'))).toString()).toBe(
      '{"a":{"z":0,"é":[true,null,"\\u2028</"]},"b":1}',
    );
    for (const bad of [
      '{"a":1.5}',
      '{"a":9007199254740993}',
      '{"a":1e400}',
      '"\\ud800"',
      '{',
      `${'['.repeat(70)}${']'.repeat(70)}`,
    ]) {
      expect(refusal(() => writeBundle(new Map(files).set(BUNDLE_PATHS.data, bytes(bad)), signed))).toBe('bad_json');
    }
    expect(refusal(() => canonicalJson(undefined))).toBe('bad_json');
  });
});
