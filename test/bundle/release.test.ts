// History does not go back, and a release speaks of one bundle only.
import { describe, expect, test } from 'vitest';
import { signJws } from '../../compiler/bundle/jws.ts';
import { signRelease, verifyRelease, verifyReleasedBundle } from '../../compiler/bundle/release.ts';
import type { Release, ReleasedBundle } from '../../compiler/bundle/release.ts';
import { verifyBundle } from '../../compiler/bundle/verify-bundle.ts';
import { writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { bytes, files, good, key, otherKey, refusal, signed } from './fixtures.ts';

const keys = [key.verification];
const { revision, digest } = verifyBundle(good, keys);
const other = writeBundle(new Map(files).set('/writ/note.txt', bytes('x')), signed);
const none = { sequence: 0, revision: '' };

function message(changes: Partial<Release> = {}, bundle = good): ReleasedBundle {
  const release: Release = { name: 'acme', revision, digest, sequence: 5, rollback: false, ...changes };
  return { ...release, sequence: BigInt(release.sequence), release: signRelease(release, key.signing), bundle };
}

const verify = (received: ReleasedBundle, newest = none) => refusal(() => verifyReleasedBundle(received, keys, newest));

describe('a release', () => {
  test('is taken when it is the first, the next, any later one, or the same again', () => {
    for (const newest of [
      none,
      { sequence: 4, revision: 'x' },
      { sequence: 1, revision: 'x' },
      { sequence: 5, revision },
    ])
      expect(verify(message(), newest)).toBe('');
  });

  test('that is older than the one in force is refused, rollback or not', () => {
    expect(verify(message(), { sequence: 6, revision: 'x' })).toBe('old_sequence');
    expect(verify(message({ rollback: true }), { sequence: 6, revision: 'x' })).toBe('old_sequence');
    expect(verify(message(), { sequence: 5, revision: 'x' })).toBe('old_sequence');
  });

  test('with copies that say something else is refused', () => {
    for (const changes of [{ name: 'evil' }, { revision: '0'.repeat(64) }, { sequence: 6n }, { rollback: true }])
      expect(verify({ ...message(), ...changes })).toBe('wrong_release');
  });

  test('about another bundle is refused', () => {
    expect(verify(message({}, other))).toBe('wrong_release');
    expect(verify(message({ name: 'another-set' }))).toBe('wrong_release');
    expect(verify(message({ revision: '0'.repeat(64) }))).toBe('wrong_release');
  });

  test('by an unknown key is refused', () => {
    const { release: _, ...rest } = message();
    expect(
      verify({
        ...rest,
        release: signRelease({ name: 'acme', revision, digest, sequence: 5, rollback: false }, otherKey.signing),
      }),
    ).toBe('unknown_key');
  });

  test("is not a bundle's signature, nor the other way round", () => {
    expect(refusal(() => verifyRelease(signJws({ files: [] }, key.signing), keys))).toBe('bad_release');
  });

  test.each([
    { sequence: 0 },
    { sequence: 1.5 },
    { sequence: '1' },
    { name: '' },
    { name: 'A' },
    { name: 'a'.repeat(129) },
    { revision: 'x' },
    { digest: 'x' },
    { rollback: 1 },
  ])('with %j is refused', (changes) => {
    const release = { name: 'acme', revision, digest, sequence: 5, rollback: false, ...changes };
    expect(() => verifyRelease(signJws({ kind: 'writ.release.v1', release }, key.signing), keys)).toThrow();
  });
});
