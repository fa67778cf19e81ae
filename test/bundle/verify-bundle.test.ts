// Whatever is wrong with a bundle, it does not load, and the code says what was wrong.
import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BUNDLE_PATHS, MANIFEST_PATH, SIGNATURES_PATH } from '../../compiler/bundle/bundle-paths.ts';
import { canonicalJson } from '../../compiler/bundle/canonical-json.ts';
import { writeGzip } from '../../compiler/bundle/gzip.ts';
import { keyId, signJws, verifyJws } from '../../compiler/bundle/jws.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { writeTar } from '../../compiler/bundle/tar.ts';
import { verifyBundle } from '../../compiler/bundle/verify-bundle.ts';
import { packBundle, writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { bytes, files, good, key, newKey, otherKey, refusal, signatureFor, signed, unsigned } from './fixtures.ts';

const verify = (bundle: Uint8Array, keys = [key.verification]) => refusal(() => verifyBundle(bundle, keys));
/** The bundle's files with some changed, signed as they were or anew. */
const changed = (change: (content: Map<string, Uint8Array>) => void, resigned = false): Uint8Array => {
  const content = readBundle(good);
  change(content);
  if (resigned) content.set(SIGNATURES_PATH, signatureFor(content));
  return packBundle(content);
};

const withFlipped = (at: number, bits: number): Uint8Array => {
  const bad = Uint8Array.from(good);
  bad[at] = bad[at]! ^ bits;
  return bad;
};

describe('a good bundle', () => {
  test('verifies and gives back its files', () => {
    const { files: read, revision, policy, digest } = verifyBundle(good, [otherKey.verification, key.verification]);
    expect(read.get(BUNDLE_PATHS.filterWasm)).toEqual(files.get(BUNDLE_PATHS.filterWasm));
    expect([...read.keys()].filter((path) => !files.has(path))).toEqual([MANIFEST_PATH, SIGNATURES_PATH]);
    expect({ policy, revision: revision.length, digest: digest.length }).toEqual({
      policy: 'acme',
      revision: 64,
      digest: 64,
    });
  });

  test('has the same bytes however its files are ordered, and another revision when one of them differs', () => {
    expect(writeBundle(new Map([...files].reverse()), signed)).toEqual(good);
    const other = writeBundle(new Map(files).set(BUNDLE_PATHS.reportText, bytes('Another.\n')), signed);
    expect(verifyBundle(other, [key.verification]).revision).not.toBe(verifyBundle(good, [key.verification]).revision);
  });

  test('has the same revision under any key', () => {
    const other = writeBundle(files, { ...unsigned, key: otherKey.signing });
    expect(verifyBundle(other, [otherKey.verification]).revision).toBe(verifyBundle(good, [key.verification]).revision);
  });
});

describe('one changed byte', () => {
  // The one long file is sampled; everything else is tried byte for byte: both of gzip's ends, the heads of its blocks,
  // the archive's headers, padding and end, every other file, the signature.
  const payload = Buffer.from(good).indexOf(Buffer.alloc(4_096, 7));
  const isPayload = (at: number): boolean =>
    at >= payload && good[at] === 7 && good[at - 1] === 7 && good[at + 1] === 7;
  const places = Array.from({ length: good.length }, (_, at) => at).filter((at) => !isPayload(at) || at % 101 === 0);

  test('anywhere in the container is refused', { timeout: 240_000 }, () => {
    expect(places.length).toBeGreaterThan(good.length - 70_000);
    expect(places.filter((at) => verify(withFlipped(at, 1 << (at % 8))) === '')).toEqual([]);
  });

  test('at its beginning and its end is refused whichever bit it is', () => {
    const ends = [...places.slice(0, 32), ...places.slice(-16)];
    const passed = ends.flatMap((at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => verify(withFlipped(at, 1 << bit)) === ''),
    );
    expect(passed).toEqual([]);
  });

  test.each([...readBundle(good)].filter(([, content]) => content.length > 0).map(([path]) => path))(
    'in %s is refused, in a container that is whole',
    (path) => {
      for (const at of [0, 0.5, 0.99]) {
        const bad = changed((content) => {
          const file = Uint8Array.from(content.get(path) ?? []);
          const index = Math.floor(at * file.length);
          file[index] = (file[index] ?? 0) ^ 1;
          content.set(path, file);
        });
        const code = verify(bad);
        expect(code).not.toBe('');
        if (path !== SIGNATURES_PATH) expect(code).toBe('wrong_hash');
      }
    },
  );
});

describe('truncation', () => {
  test('at any place is refused', () => {
    for (let length = 0; length < good.length; length += 997)
      expect(verify(good.slice(0, length)), `${length} bytes`).not.toBe('');
  });

  test('of the archive inside a whole gzip is refused', () => {
    const tar = writeTar(readBundle(good));
    for (let length = 0; length < tar.length; length += 509)
      expect(['truncated', 'not_tar']).toContain(verify(writeGzip(tar.slice(0, length))));
  });
});

describe('the set of files', () => {
  test('may not have one more', () =>
    expect(verify(changed((content) => content.set('/extra.txt', bytes('x'))))).toBe('extra_file'));
  test('may not have one less', () =>
    expect(verify(changed((content) => content.delete(BUNDLE_PATHS.plan)))).toBe('missing_file'));
  test('may not name one otherwise', () => {
    const renamed = changed((content) => {
      content.set('/writ/other.json', content.get(BUNDLE_PATHS.plan) ?? bytes(''));
      content.delete(BUNDLE_PATHS.plan);
    });
    expect(verify(renamed)).toBe('missing_file');
  });
});

describe('another encoding of the same files', () => {
  test('in another order is refused', () => {
    const tar = writeTar(readBundle(good));
    // The second entry before the first: both are whole, headers and all.
    const first = 512 + 512 * Math.ceil((readBundle(good).get(MANIFEST_PATH)?.length ?? 0) / 512);
    const second = first + 512 + 512 * Math.ceil((readBundle(good).get(SIGNATURES_PATH)?.length ?? 0) / 512);
    const reordered = Buffer.concat([tar.subarray(first, second), tar.subarray(0, first), tar.subarray(second)]);
    expect([...readBundle(writeGzip(reordered)).keys()].slice(0, 2)).toEqual([SIGNATURES_PATH, MANIFEST_PATH]);
    expect(verify(writeGzip(reordered))).toBe('not_canonical');
  });

  test('compressed, or with something behind it, is refused', () => {
    const tar = writeTar(readBundle(good));
    expect(verify(gzipSync(tar))).toBe('not_canonical');
    expect(verify(Buffer.concat([good, Buffer.from([0])]))).not.toBe('');
    expect(verify(Buffer.concat([good, gzipSync(Buffer.alloc(1024))]))).toBe('not_canonical');
    expect(verify(writeGzip(Buffer.concat([tar, Buffer.alloc(512, 1)])))).toBe('not_tar');
  });

  test('with spaces in the signature file or the data is refused', () => {
    const spaced = (path: string) =>
      changed((content) => content.set(path, Buffer.concat([content.get(path) ?? bytes(''), bytes(' ')])), false);
    expect(verify(spaced(SIGNATURES_PATH))).toBe('not_canonical');
    expect(verify(spaced(BUNDLE_PATHS.data))).toBe('wrong_hash');
  });
});

describe('the signature', () => {
  const withSignature = (text: string): Uint8Array => changed((content) => content.set(SIGNATURES_PATH, bytes(text)));
  const list = {
    files: [...readBundle(good)]
      .filter(([path]) => path !== SIGNATURES_PATH)
      .map(([path]) => ({ name: path.slice(1), hash: '0'.repeat(64), algorithm: 'SHA-256' })),
  };

  test('must be there', () => {
    expect(verify(writeBundle(files, unsigned))).toBe('unsigned');
    expect(verify(writeBundle(files, unsigned), [])).toBe('unsigned');
    for (const empty of [
      '{"signatures":[]}',
      '{}',
      '[]',
      'null',
      '1',
      '{"signatures":[1]}',
      '{"signatures":["",""]}',
      '{"signatures":"x"}',
    ])
      expect(verify(withSignature(empty))).toBe('bad_signature');
    expect(verify(withSignature('{'))).toBe('bad_signature');
  });

  test('must be by a trusted key', () => {
    expect(verify(good, [])).toBe('unknown_key');
    expect(verify(good, [otherKey.verification])).toBe('unknown_key');
    expect(verify(good, [{ ...otherKey.verification, kid: key.verification.kid }])).toBe('wrong_signature');
    expect(verify(writeBundle(files, { ...unsigned, key: otherKey.signing }))).toBe('unknown_key');
  });

  test('is RS256 whatever its header says', () => {
    const [, payload = ''] = signJws(list, key.signing).split('.');
    const encode = (value: unknown): string => Buffer.from(canonicalJson(value)).toString('base64url');
    const forged = (header: unknown, mac: (signed: string) => string): string => {
      const start = `${encode(header)}.${payload}`;
      return `${start}.${mac(start)}`;
    };
    const hmac = (start: string): string =>
      createHmac('sha256', key.verification.publicKeyPem).update(start).digest('base64url');
    const attempts = [
      forged({ alg: 'none', kid: key.signing.kid }, () => ''),
      forged({ alg: 'HS256', kid: key.signing.kid }, hmac),
      forged({ alg: 'RS256', kid: key.signing.kid }, hmac),
      forged({ alg: 'RS256', kid: key.signing.kid, crit: ['x'], x: 1 }, hmac),
      forged({ alg: 'RS256' }, hmac),
      forged({ alg: 'RS512', kid: key.signing.kid }, hmac),
      'a.b',
      'a.b.c.d',
      '..',
      '',
      '!.!.!',
    ];
    const codes = attempts.map((jws) => refusal(() => verifyJws(jws, [key.verification])));
    expect(codes.slice(0, 6)).toEqual([
      'unsupported_algorithm',
      'unsupported_algorithm',
      'wrong_signature',
      'bad_signature',
      'bad_signature',
      'unsupported_algorithm',
    ]);
    expect(new Set(codes.slice(6))).toEqual(new Set(['bad_signature']));
  });

  test('is taken in one spelling only', () => {
    const jws = signJws(list, key.signing);
    expect(refusal(() => verifyJws(`${jws}=`, [key.verification]))).toBe('bad_signature');
    expect(
      refusal(() =>
        verifyJws(
          jws.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
          [key.verification],
        ),
      ),
    ).not.toBe('');
  });

  test('must list files as it should', () => {
    const entry = { name: 'a', hash: '0'.repeat(64), algorithm: 'SHA-256' };
    for (const payload of [
      {},
      { files: {} },
      { files: [1] },
      { files: [{ ...entry, algorithm: 'MD5' }] },
      { files: [{ ...entry, name: 1 }] },
      { files: [entry, entry] },
    ]) {
      expect(verify(withSignature(canonicalJson({ signatures: [signJws(payload, key.signing)] })))).toBe(
        'bad_signature',
      );
    }
  });

  test('does not save a manifest that tells another story', () => {
    const rewritten = (from: string, to: string): Uint8Array =>
      changed(
        (content) =>
          content.set(
            MANIFEST_PATH,
            bytes(
              Buffer.from(content.get(MANIFEST_PATH) ?? [])
                .toString()
                .replace(from, to),
            ),
          ),
        true,
      );
    expect(verify(rewritten('', ''))).toBe('');
    expect(verify(rewritten('"policy":"acme"', '"policy":"evil"'))).toBe('wrong_revision');
    expect(verify(rewritten('"roots":["writ"]', '"roots":[""]'))).toBe('bad_manifest');
    expect(verify(rewritten('{', '{ '))).toBe('bad_manifest');
    expect(verify(changed((content) => content.delete(MANIFEST_PATH), true))).toBe('bad_manifest');
  });
});

describe('a key', () => {
  test('is RSA with 2048 bits or more, and public where it verifies', () => {
    expect(refusal(() => keyId('nonsense'))).toBe('bad_key');
    expect(verify(good, [{ kid: key.verification.kid, publicKeyPem: key.signing.privateKeyPem }])).toBe('bad_key');
    expect(refusal(() => writeBundle(files, { ...unsigned, key: { kid: 'x', privateKeyPem: 'nonsense' } }))).toBe(
      'bad_key',
    );
  });

  test('may be one of several', () => {
    const third = newKey();
    expect(verify(good, [third.verification, otherKey.verification, key.verification])).toBe('');
  });
});
