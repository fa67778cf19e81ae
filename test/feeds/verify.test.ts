// What must hold before a feed may be used, one thing wrong at a time.
import { describe, expect, test } from 'vitest';
import { entryOf, hashedValue, packEntries } from '../../compiler/bundle/feed-entries.ts';
import {
  type FeedMessage,
  FUTURE_MS_MAX,
  listState,
  signFeed,
  type SwitchState,
  verifyFeed,
} from '../../compiler/bundle/feed.ts';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import { signJws } from '../../compiler/bundle/jws.ts';
import { bundleKey, strangersKey } from '../control-plane/fixtures.ts';
import { entriesOf, SALT } from './build-feed.ts';

const NOW = 1_764_000_000_000;
const HOUR = 3_600_000;
const keys = [bundleKey.verification];
const listTerms: FeedTerms = { kind: 'list', name: 'l', element: 'text', maxAgeMs: HOUR, most: 3, keys };
const switchTerms: FeedTerms = { kind: 'switch', name: 's', maxMs: HOUR, keys };
const about = { policy: 'p', name: 'l', sequence: 5, issuedAt: NOW, element: 'text', salt: SALT };

function list(values: readonly string[], changes: Partial<typeof about> = {}, key = bundleKey): FeedMessage {
  const entries = entriesOf(values);
  return signFeed(listState({ ...about, ...changes }, entries), entries, key.signing);
}
function switched(changes: Partial<SwitchState> = {}): FeedMessage {
  const state = {
    kind: 'switch',
    policy: 'p',
    name: 's',
    sequence: 5,
    issuedAt: NOW,
    on: true,
    until: NOW + HOUR,
  } as const;
  return signFeed({ ...state, ...changes }, new Uint8Array(), bundleKey.signing);
}
const at = { now: NOW, newest: 0 };

/** What one says, with the signature of the other. */
function resigned(statement: string, other: string): string {
  return [...statement.split('.').slice(0, 2), other.split('.')[2]].join('.');
}

test('a good list and a good switch are taken', () => {
  expect(verifyFeed(list(['a', 'b', 'c']), listTerms, at)).toMatchObject({ state: { count: 3 }, kid: keys[0]!.kid });
  expect(verifyFeed(switched(), switchTerms, at).state).toMatchObject({ on: true });
  expect(verifyFeed(switched({ on: false, until: null }), switchTerms, at).state).toMatchObject({ on: false });
  expect(verifyFeed(switched({ until: null }), { ...switchTerms, maxMs: null }, at).state).toMatchObject({
    until: null,
  });
});

describe('refused', () => {
  const swapped = (): FeedMessage => {
    const [a, b] = [list(['a', 'b']), list(['c', 'd'])];
    return { ...a, entries: b.entries };
  };
  const unsorted = (): FeedMessage => {
    const entries = Buffer.concat([entriesOf(['a']), entriesOf(['a'])]);
    return signFeed(listState(about, entries), entries, bundleKey.signing);
  };
  test.each<[string, FeedMessage, FeedTerms, string]>([
    ['the key of a stranger', list([], {}, strangersKey), listTerms, 'unknown_key'],
    [
      'a signature of something else',
      { ...list([]), statement: resigned(list([]).statement, list(['a']).statement) },
      listTerms,
      'wrong_signature',
    ],
    ['a copy that differs', { ...list([]), sequence: 6n }, listTerms, 'wrong_feed'],
    ['another feed', list([], { name: 'm' }), listTerms, 'wrong_feed'],
    ['a switch for a list', switched({ name: 'l' }), listTerms, 'wrong_feed'],
    ['another type', list([], { element: 'date' }), listTerms, 'wrong_feed'],
    ['one entry too many', list(['a', 'b', 'c', 'd']), listTerms, 'too_many_entries'],
    ['entries that were not signed', swapped(), listTerms, 'wrong_hash'],
    ['entries that cannot be searched', unsorted(), listTerms, 'wrong_hash'],
    ['a clock that is ahead', list([], { issuedAt: NOW + FUTURE_MS_MAX + 1 }), listTerms, 'future'],
    ['a switch that is on for too long', switched({ until: NOW + HOUR + 1 }), switchTerms, 'beyond_maximum'],
    ['a switch that is on without end', switched({ until: null }), switchTerms, 'beyond_maximum'],
    [
      'another document of the same key',
      { ...list([]), statement: signJws({ kind: 'writ.release.v1', feed: about }, bundleKey.signing) },
      listTerms,
      'bad_feed',
    ],
  ])('%s', (_, message, terms, code) => {
    expect(() => verifyFeed(message, terms, at)).toThrow(expect.objectContaining({ code }));
  });

  test('what is older than what was seen, however well signed', () => {
    expect(() => verifyFeed(list([]), listTerms, { now: NOW, newest: 6 })).toThrow(
      expect.objectContaining({ code: 'old_sequence' }),
    );
    expect(verifyFeed(list([]), listTerms, { now: NOW, newest: 5 }).state.sequence).toBe(5);
  });
});

describe('values as people write them', () => {
  test.each([
    ['text', 'Ünïcode', 'Ünïcode'],
    ['enum region', 'eu', 'eu'],
    ['date', '1970-01-02', '1'],
    ['date', '2026-12-25', '20812'],
    ['bool', 'true', '1'],
    ['number 2', '12.5', '1250'],
    ['number 2', '12.500', '1250'],
    ['number 6 money', '-0.000001', '-1'],
    ['number 0 tokens', '-0', '0'],
  ])('%s %s', (element, written, value) => expect(hashedValue(element, written)).toBe(value));

  test.each([
    ['text', ''],
    ['text', 'x'.repeat(1_025)],
    ['date', '2026-02-29'],
    ['date', '2026-1-1'],
    ['bool', 'yes'],
    ['number 2', '1.234'],
    ['number 0', '9007199254740992'],
    ['number 0', '1e3'],
    ['colour', 'red'],
  ])('not %s %s', (element, written) =>
    expect(() => hashedValue(element, written)).toThrow(expect.objectContaining({ code: 'bad_value' })),
  );

  test('have one place each, however often they are given', () => {
    const salt = Buffer.alloc(16);
    const entries = ['b', 'a', 'b'].map((value) => entryOf(salt, value));
    expect(packEntries(entries)).toHaveLength(32);
    expect(packEntries(entries)).toEqual(packEntries(entries.toReversed()));
  });
});
