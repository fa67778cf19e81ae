// The rules of delta xDS, one by one.
import { describe, expect, test } from 'vitest';
import { DeltaSession, NAMES_MAX, TYPES_MAX, XdsError } from '../../control-plane/xds/delta-session.ts';
import type { DeltaRequest, DeltaResponse, Nack } from '../../control-plane/xds/delta-session.ts';
import { typeOrder } from '../../control-plane/xds/snapshot.ts';
import type { Snapshot } from '../../control-plane/xds/snapshot.ts';

const T = 'type.googleapis.com/test.Thing';
const [, CLUSTER = '', , , LISTENER = ''] = typeOrder;

/** `{a: "1"}` is resource `a` in version `1`. */
function snapshot(things: Readonly<Record<string, string>>, typeUrl = T, more: Snapshot = new Map()): Snapshot {
  return new Map([
    ...more,
    [
      typeUrl,
      new Map(Object.entries(things).map(([name, version]) => [name, { name, version, encoded: new Uint8Array() }])),
    ],
  ]);
}

function request(changes: Partial<DeltaRequest> = {}): DeltaRequest {
  return { typeUrl: T, subscribe: [], unsubscribe: [], initialVersions: new Map(), nonce: '', ...changes };
}

function open(first: Snapshot) {
  const quarantine = new Set<string>();
  const nacks: Nack[] = [];
  const session = new DeltaSession(first, {
    isQuarantined: (_, name, version) => quarantine.has(`${name} ${version}`),
    onNack: (nack) => {
      nacks.push(nack);
      if (nack.refused !== undefined) quarantine.add(`${nack.refused.name} ${nack.refused.version}`);
    },
    onAck: () => undefined,
  });
  return { session, nacks };
}

/** A response in short: `+a:1 -b`. */
const short = ({ resources, removed }: DeltaResponse): string =>
  [...resources.map(({ name, version }) => `+${name}:${version}`), ...removed.map((name) => `-${name}`)].join(' ');
const shorts = (responses: readonly DeltaResponse[]): string[] => responses.map(short);
const nonceOf = (responses: readonly DeltaResponse[]): string => responses.at(-1)?.nonce ?? 'none';

describe('a subscription', () => {
  test('to nothing at first means all, and later names add to it', () => {
    const { session } = open(snapshot({ a: '1', b: '1' }));
    const first = session.request(request());
    expect(shorts(first)).toEqual(['+a:1 +b:1']);
    expect(session.request(request({ nonce: nonceOf(first) }))).toEqual([]);
    expect(shorts(session.request(request({ subscribe: ['a'] })))).toEqual(['+a:1']);
  });

  test('to nothing is answered although there is nothing', () => {
    const { session } = open(new Map());
    expect(shorts(session.request(request()))).toEqual(['']);
  });

  test('to a name gives that name only, and nothing is left when it is dropped', () => {
    const { session } = open(snapshot({ a: '1', b: '1' }));
    const first = session.request(request({ subscribe: ['a'] }));
    expect(shorts(first)).toEqual(['+a:1']);
    session.request(request({ nonce: nonceOf(first), unsubscribe: ['a'] }));
    expect(session.update(snapshot({ a: '2', b: '2' }))).toEqual([]);
  });

  test('to a missing name is told at once, and again when it appears', () => {
    const { session } = open(snapshot({}));
    const first = session.request(request({ subscribe: ['a'] }));
    expect(shorts(first)).toEqual(['-a']);
    expect(session.request(request({ nonce: nonceOf(first) }))).toEqual([]);
    expect(shorts(session.update(snapshot({ a: '1' })))).toEqual(['+a:1']);
  });

  test('to a name again sends it again', () => {
    const { session } = open(snapshot({ a: '1' }));
    const first = session.request(request({ subscribe: ['a'] }));
    expect(shorts(session.request(request({ nonce: nonceOf(first), subscribe: ['a'] })))).toEqual(['+a:1']);
  });

  test('to `*` can end, and single names stay', () => {
    const { session } = open(snapshot({ a: '1', b: '1' }));
    const first = session.request(request({ subscribe: ['*', 'a'] }));
    session.request(request({ nonce: nonceOf(first), unsubscribe: ['*'] }));
    expect(shorts(session.update(snapshot({ a: '2', b: '2' })))).toEqual(['+a:2']);
  });

  test('dropped under `*` is sent again, because it is still wanted', () => {
    const { session } = open(snapshot({ a: '1' }));
    const first = session.request(request({ subscribe: ['*', 'a'] }));
    expect(shorts(session.request(request({ nonce: nonceOf(first), unsubscribe: ['a'] })))).toEqual(['+a:1']);
  });

  test('counts on a request with an old nonce', () => {
    const { session } = open(snapshot({ a: '1', b: '1' }));
    const first = session.request(request({ subscribe: ['a'] }));
    const again = session.update(snapshot({ a: '2', b: '1' }));
    expect(again).toEqual([]);
    const second = session.request(request({ nonce: nonceOf(first) }));
    expect(shorts(session.request(request({ nonce: '77', subscribe: ['b'] })))).toEqual([]);
    expect(shorts(session.request(request({ nonce: nonceOf(second) })))).toEqual(['+b:1']);
  });
});

describe('a client that comes back', () => {
  test('gets only what differs, and loses what is gone', () => {
    const { session } = open(snapshot({ a: '1', b: '2' }));
    const first = session.request(
      request({
        initialVersions: new Map([
          ['a', '1'],
          ['b', '1'],
          ['c', '1'],
        ]),
      }),
    );
    expect(shorts(first)).toEqual(['+b:2']);
    expect(shorts(session.request(request({ nonce: nonceOf(first) })))).toEqual(['-c']);
  });

  test('with all it wants gets nothing', () => {
    const { session } = open(snapshot({ a: '1' }));
    expect(session.request(request({ subscribe: ['a'], initialVersions: new Map([['a', '1']]) }))).toEqual([]);
  });
});

describe('a response', () => {
  test('waits for the answer to the one before, and then carries all changes at once', () => {
    const { session } = open(snapshot({ a: '1' }));
    const first = session.request(request());
    for (let version = 2; version < 100; version++)
      expect(session.update(snapshot({ a: `${version}`, b: '1' }))).toEqual([]);
    expect(shorts(session.request(request({ nonce: nonceOf(first) })))).toEqual(['+a:99 +b:1']);
  });

  test('has its own nonce on a stream', () => {
    const { session } = open(snapshot({ a: '1' }));
    const nonces = [nonceOf(session.request(request()))];
    for (let version = 2; version < 20; version++) {
      session.request(request({ nonce: nonces.at(-1) ?? '' }));
      nonces.push(nonceOf(session.update(snapshot({ a: `${version}` }))));
    }
    expect(new Set(nonces).size).toBe(19);
  });

  test('removes only after what replaces it is acknowledged, over all types', () => {
    const { session } = open(snapshot({ l: '1' }, LISTENER, snapshot({ c: '1' }, CLUSTER)));
    for (const typeUrl of [CLUSTER, LISTENER])
      session.request(request({ typeUrl, nonce: nonceOf(session.request(request({ typeUrl }))) }));
    const moved = session.update(snapshot({ l: '2' }, LISTENER, snapshot({ d: '1' }, CLUSTER)));
    expect(shorts(moved)).toEqual(['+d:1', '+l:2']);
    expect(session.request(request({ typeUrl: CLUSTER, nonce: moved[0]?.nonce ?? '' }))).toEqual([]);
    expect(shorts(session.request(request({ typeUrl: LISTENER, nonce: moved[1]?.nonce ?? '' })))).toEqual(['-c']);
  });
});

describe('a refusal', () => {
  test('is told by the error alone, and that version is not sent again', () => {
    const { session, nacks } = open(snapshot({ a: '1' }));
    const first = session.request(request());
    session.request(request({ nonce: nonceOf(first) }));
    const second = session.update(snapshot({ a: '2' }));
    expect(session.request(request({ nonce: nonceOf(second), error: 'bad a' }))).toEqual([]);
    expect(nacks).toEqual([{ typeUrl: T, message: 'bad a', refused: { name: 'a', version: '2' } }]);
    expect(session.update(snapshot({ a: '2' }))).toEqual([]);
    expect(session.update(snapshot({ a: '1' }))).toEqual([]);
    expect(shorts(session.update(snapshot({ a: '3' })))).toEqual(['+a:3']);
  });

  test('with an empty message is one too', () => {
    const { session, nacks } = open(snapshot({ a: '1' }));
    session.request(request({ nonce: nonceOf(session.request(request())), error: '' }));
    expect(nacks).toHaveLength(1);
  });

  test('of several resources tries each alone, so that the good ones arrive', () => {
    const { session, nacks } = open(snapshot({ a: '1', b: 'bad', c: '1' }));
    const got: string[] = [];
    let responses = session.request(request());
    for (let turn = 0; responses.length > 0 && turn < 20; turn++) {
      const isBad = short(responses[0] ?? { typeUrl: T, nonce: '', resources: [], removed: [] }).includes('bad');
      if (!isBad) got.push(...shorts(responses));
      responses = session.request(request({ nonce: nonceOf(responses), ...(isBad ? { error: 'no' } : {}) }));
    }
    expect(got.sort()).toEqual(['+a:1', '+c:1']);
    expect(nacks.map((nack) => nack.refused?.version)).toEqual([undefined, 'bad']);
  });

  test('of a removal is not argued with', () => {
    const { session } = open(snapshot({ a: '1' }));
    session.request(request({ nonce: nonceOf(session.request(request())) }));
    const removal = session.update(snapshot({}));
    expect(shorts(removal)).toEqual(['-a']);
    expect(session.request(request({ nonce: nonceOf(removal), error: 'I want it' }))).toEqual([]);
    expect(session.update(snapshot({}))).toEqual([]);
  });

  test('is kept to its first thousand characters', () => {
    const { session, nacks } = open(snapshot({ a: '1' }));
    session.request(request({ nonce: nonceOf(session.request(request())), error: 'x'.repeat(5_000) }));
    expect(nacks[0]?.message).toHaveLength(1_000);
  });
});

describe('limits', () => {
  test('of types', () => {
    const { session } = open(new Map());
    for (let index = 0; index < TYPES_MAX; index++) session.request(request({ typeUrl: `t${index}` }));
    expect(() => session.request(request({ typeUrl: 'one more' }))).toThrow(XdsError);
  });

  test('of names', () => {
    const { session } = open(new Map());
    const names = Array.from({ length: NAMES_MAX }, (_, index) => `${index}`);
    session.request(request({ subscribe: names }));
    expect(() => session.request(request({ subscribe: ['one more'] }))).toThrow(XdsError);
    expect(() =>
      session.request(
        request({ typeUrl: 'u', initialVersions: new Map([...names, 'one more'].map((name) => [name, '1'])) }),
      ),
    ).toThrow(XdsError);
  });
});
