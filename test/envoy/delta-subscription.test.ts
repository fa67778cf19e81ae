// The rules of delta xDS, as the server of one type on one stream holds them.
import { describe, expect, test } from 'vitest';
import type { DeltaAnswer, DeltaRequest, VersionedResource } from '../../filters/sidecar/xds/delta-subscription.ts';
import { DeltaSubscription, NAMES_MAX, TooManyNames } from '../../filters/sidecar/xds/delta-subscription.ts';

const resources = (versions: Record<string, string>): Map<string, VersionedResource> =>
  new Map(Object.entries(versions).map(([name, version]) => [name, { name, version }]));
const request = (fields: Partial<DeltaRequest> = {}): DeltaRequest => ({
  subscribe: [],
  unsubscribe: [],
  initialVersions: {},
  nonce: '',
  error: undefined,
  ...fields,
});

class Client {
  readonly subscription = new DeltaSubscription<VersionedResource>();
  /** What the server would send: versions by name, null for removed. */
  sent(versions: Record<string, string>): Record<string, string | null> | undefined {
    const response = this.subscription.next(resources(versions));
    if (response === undefined) return undefined;
    this.nonce = response.nonce;
    return Object.fromEntries([
      ...response.resources.map(({ name, version }) => [name, version] as const),
      ...response.removed.map((name) => [name, null] as const),
    ]);
  }
  nonce = '';
  says(fields: Partial<DeltaRequest> = {}): DeltaAnswer {
    return this.subscription.receive(request(fields));
  }
  ack(): DeltaAnswer {
    return this.says({ nonce: this.nonce });
  }
  nack(error = 'no'): DeltaAnswer {
    return this.says({ nonce: this.nonce, error });
  }
}

describe('a wildcard', () => {
  test('gets everything, then what changes, then what goes', () => {
    const client = new Client();
    expect(client.sent({ a: '1' })).toBeUndefined();
    client.says();
    expect(client.sent({ a: '1', b: '1' })).toEqual({ a: '1', b: '1' });
    expect(client.sent({ a: '2', b: '1' })).toBeUndefined();
    expect(client.ack()).toEqual({ kind: 'ack', nonce: '1' });
    expect(client.sent({ a: '1', b: '1' })).toBeUndefined();
    expect(client.sent({ a: '2', b: '1' })).toEqual({ a: '2' });
    client.ack();
    expect(client.sent({ b: '1' })).toEqual({ a: null });
    client.ack();
    expect(client.sent({ b: '1' })).toBeUndefined();
  });

  test('is answered even when there is nothing, once', () => {
    const client = new Client();
    client.says();
    expect(client.sent({})).toEqual({});
    client.ack();
    expect(client.sent({})).toBeUndefined();
  });

  test('that comes back is not sent what it has', () => {
    const client = new Client();
    client.says({ initialVersions: { a: '1', gone: '1' } });
    expect(client.sent({ a: '1', b: '1' })).toEqual({ b: '1', gone: null });
  });

  test('is none once a name is given, unless `*` is among them', () => {
    const named = new Client();
    named.says({ subscribe: ['a'] });
    expect(named.sent({ a: '1', b: '1' })).toEqual({ a: '1' });
    const both = new Client();
    both.says({ subscribe: ['*', 'a'] });
    expect(both.sent({ a: '1', b: '1' })).toEqual({ a: '1', b: '1' });
  });
});

describe('a name', () => {
  test('that does not exist is answered as removed, once', () => {
    const client = new Client();
    client.says({ subscribe: ['a'] });
    expect(client.sent({})).toEqual({ a: null });
    client.ack();
    expect(client.sent({})).toBeUndefined();
    expect(client.sent({ a: '1' })).toEqual({ a: '1' });
  });

  test('that is asked for again is answered again', () => {
    const client = new Client();
    client.says({ subscribe: ['a'] });
    client.sent({ a: '1' });
    client.ack();
    client.says({ subscribe: ['a'] });
    expect(client.sent({ a: '1' })).toEqual({ a: '1' });
  });

  test('that is no longer wanted is not sent', () => {
    const client = new Client();
    client.says({ subscribe: ['a', 'b'] });
    client.sent({ a: '1', b: '1' });
    client.says({ nonce: client.nonce, unsubscribe: ['a'] });
    expect(client.sent({ a: '2', b: '1' })).toBeUndefined();
  });

  test('counts even when the nonce is stale, which answers nothing', () => {
    const client = new Client();
    client.says({ subscribe: ['a'] });
    client.sent({ a: '1' });
    expect(client.says({ subscribe: ['b'], nonce: 'old' })).toEqual({ kind: 'none' });
    expect(client.sent({ a: '1', b: '1' })).toBeUndefined();
    client.ack();
    expect(client.sent({ a: '1', b: '1' })).toEqual({ b: '1' });
  });

  test('is one too many', () => {
    const names = Array.from({ length: NAMES_MAX }, (_, at) => `n${at}`);
    const client = new Client();
    expect(client.says({ subscribe: names })).toEqual({ kind: 'none' });
    expect(() => client.says({ subscribe: ['one more'] })).toThrow(TooManyNames);
  });
});

describe('a refusal', () => {
  test('keeps that version from being sent again, and no other', () => {
    const client = new Client();
    client.says();
    client.sent({ a: '1' });
    client.ack();
    client.sent({ a: '2' });
    expect(client.nack('bad')).toEqual({
      kind: 'nack',
      nonce: '2',
      message: 'bad',
      refused: [{ name: 'a', version: '2' }],
    });
    expect(client.sent({ a: '2' })).toBeUndefined();
    expect(client.subscription.isSettled(resources({ a: '2' }))).toBe(true);
    expect(client.sent({ a: '3' })).toEqual({ a: '3' });
    client.ack();
    expect(client.sent({ a: '1' })).toEqual({ a: '1' });
  });

  test('of what was there before means that the client still has it', () => {
    const client = new Client();
    client.says();
    client.sent({ a: '1' });
    client.ack();
    client.sent({ a: '2' });
    client.nack();
    expect(client.sent({ a: '1' })).toBeUndefined();
  });

  test('is known by its message alone: without the nonce in flight it is none', () => {
    const client = new Client();
    client.says();
    client.sent({ a: '1' });
    expect(client.says({ nonce: '7', error: 'bad' })).toEqual({ kind: 'none' });
    expect(client.subscription.isSettled(resources({ a: '1' }))).toBe(false);
    client.ack();
    expect(client.subscription.isSettled(resources({ a: '1' }))).toBe(true);
  });
});
