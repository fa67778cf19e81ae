// The sidecar's memory of lists and switches: what it takes, keeps, refuses, and says of itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listState, signFeed, type SwitchState } from '../../compiler/bundle/feed.ts';
import type { FeedTerms } from '../../compiler/bundle/feed-terms.ts';
import { Feeds } from '../../filters/sidecar/feeds.ts';
import { openStateFolder, type StateFolder } from '../../filters/sidecar/state-folder.ts';
import { IMAGE_BROKEN, IMAGE_SEQUENCE, IMAGE_STATE } from '../../filters/kernel/feeds/layout.ts';
import { type DataFeed, DataFeedSchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { bundleKey, strangersKey } from '../control-plane/fixtures.ts';
import { entriesOf, SALT } from './build-feed.ts';

const MINUTE = 60_000;
const keys = [bundleKey.verification];
const banned: FeedTerms = { kind: 'list', name: 'banned', element: 'text', maxAgeMs: 3 * MINUTE, most: 3, keys };
const stop: FeedTerms = { kind: 'switch', name: 'stop', maxMs: null, keys };

let folder: string;
let state: StateFolder;
let now: number;
let alarms: string[];
let feeds: Feeds;

const open = (terms: readonly FeedTerms[] = [banned, stop]): Feeds => {
  const made = new Feeds({ policy: 'p', state, now: () => now, alarm: (message) => alarms.push(message) });
  made.adopt(terms);
  return made;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-kept-'));
  state = openStateFolder(folder);
  now = 1_764_000_000_000;
  alarms = [];
  feeds = open();
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

function list(sequence: number, values: readonly string[] = [], key = bundleKey): DataFeed {
  const entries = entriesOf(values);
  const about = { policy: 'p', name: 'banned', sequence, issuedAt: now, element: 'text', salt: SALT };
  return create(DataFeedSchema, signFeed(listState(about, entries), entries, key.signing));
}
function switched(sequence: number, changes: Partial<SwitchState> = {}): DataFeed {
  const usual = { kind: 'switch', policy: 'p', name: 'stop', sequence, issuedAt: now, on: true, until: null } as const;
  return create(DataFeedSchema, signFeed({ ...usual, ...changes }, new Uint8Array(), bundleKey.signing));
}
const report = (name: string, of = feeds) => of.report().find((each) => each.name === name)!;
const image = (at: number) => new DataView(Uint8Array.from(feeds.images(feeds.terms)[at]!).buffer);

test('asks for what the policy reads, and says what it has', () => {
  expect(feeds.resources).toEqual(['p/list/banned', 'p/switch/stop']);
  expect(feeds.versions).toEqual({});
  feeds.offer(list(1));
  expect(Object.keys(feeds.versions)).toEqual(['p/list/banned']);
});

test('a list grows old, and an operator is told before', () => {
  expect(report('banned')).toMatchObject({ state: 'missing', sequence: 0, issuedAt: null });
  feeds.offer(list(1));
  feeds.warn();
  expect([report('banned').state, alarms]).toEqual(['fresh', []]);
  now += 2 * MINUTE;
  feeds.warn();
  feeds.warn();
  expect(alarms).toEqual(['the list `banned` will be too old in 60 s unless it is signed again']);
  now += MINUTE + 1;
  feeds.warn();
  feeds.warn();
  expect([report('banned').state, alarms.length, alarms[1]]).toEqual([
    'stale',
    2,
    'the list `banned` is too old: what reads it fails until it is signed again',
  ]);
});

test('nothing goes back, and what is refused changes nothing', () => {
  expect(feeds.offer(list(4, ['a']))).toBe(true);
  for (const worse of [list(3), list(4, ['b']), list(5, [], strangersKey), list(5, ['a', 'b', 'c', 'd'])]) {
    expect(feeds.offer(worse)).toBe(false);
    expect(report('banned')).toMatchObject({ state: 'fresh', sequence: 4 });
  }
  expect(report('banned').refused).toBe('too_many_entries');
  expect(feeds.offer(list(5))).toBe(true);
  expect(report('banned')).toMatchObject({ sequence: 5, refused: null });
});

test('a start from disk knows the last state, and the highest number', () => {
  feeds.offer(list(7, ['a']));
  feeds.offer(switched(2));
  feeds = open();
  expect([report('banned').sequence, report('stop').state]).toEqual([7, 'on']);
  expect(feeds.offer(list(6))).toBe(false);
  expect(image(0).getBigUint64(IMAGE_SEQUENCE, true)).toBe(7n);
});

test('a damaged file is told of, and fails until it comes again', () => {
  feeds.offer(list(7));
  writeFileSync(join(folder, 'feeds', `${'0'.repeat(32)}.bin`), Buffer.from('ffffffff', 'hex'));
  expect(report('banned', open()).sequence).toBe(7);
  expect(alarms).toEqual(['a kept list or switch is damaged, and fails until it comes again']);
});

test('a switch is off when the control plane has never heard of it, and its word counts for nothing afterwards', () => {
  expect([report('stop').state, feeds.images(feeds.terms)]).toEqual(['unheard', []]);
  expect(feeds.missing('p/switch/stop')).toBe(true);
  expect(report('stop').state).toBe('off');
  expect(report('stop', open()).state).toBe('off');
  feeds.offer(switched(1));
  expect(feeds.missing('p/switch/stop')).toBe(false);
  expect(report('stop').state).toBe('on');
  expect(feeds.missing('p/list/banned')).toBe(false);
  expect(report('banned').state).toBe('missing');
});

test('a switch is off when its time is over', () => {
  feeds.offer(switched(1, { until: now + MINUTE }));
  expect(report('stop').state).toBe('on');
  now += MINUTE;
  expect(report('stop').state).toBe('off');
});

test('under a bundle that no longer names the signer, what is there has failed', () => {
  feeds.offer(list(1));
  feeds.adopt([{ ...banned, keys: [strangersKey.verification] }, stop]);
  expect(report('banned').state).toBe('refused');
  expect(image(0).getUint32(IMAGE_STATE, true)).toBe(IMAGE_BROKEN);
});

test('what came before the bundle that names its signer is taken with it', () => {
  expect(feeds.offer(list(3, ['a'], strangersKey))).toBe(false);
  feeds.adopt([{ ...banned, keys: [strangersKey.verification] }, stop]);
  expect(report('banned')).toMatchObject({ state: 'fresh', sequence: 3, refused: null });
});

test('a switch that may be on for less under a new bundle has failed', () => {
  feeds.offer(switched(1));
  feeds.adopt([banned, { kind: 'switch', name: 'stop', maxMs: MINUTE, keys }]);
  expect(report('stop').state).toBe('refused');
});
