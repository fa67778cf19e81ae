// Connections to the outside in the filter itself, with an Envoy that a test drives: which names count as hosts, and that
// a connection leaves nothing behind.
import { beforeAll, describe, expect, test } from 'vitest';
import { Worker } from './envoy-host.ts';
import { CONFIGURATION } from './filter-under-test.ts';
import { policyWasm } from '../e2e/policy-wasm.ts';

const policy = (rules: string): string => `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: deny
  default completion: deny
  default retrieval: deny
  default ingest: deny
  default egress: allow
  on failure: deny
}
${rules}`;

const BLOCKED = `rule blocked on egress where egress.host is "api.blocked.example" deny "Blocked"`;
const configuration = CONFIGURATION.replace(/store .*\n/, '');
const long = `${'a'.repeat(63)}.`.repeat(3);

let wasm: Uint8Array;

beforeAll(async () => {
  ({ wasm } = await policyWasm(policy(BLOCKED), { egress: { port: 2 } }));
});

describe('a host', () => {
  test.each([
    ['that no rule denies', 'api.open.example', true],
    ['that a rule denies', 'api.blocked.example', false],
    ['in other letters', 'API.Blocked.EXAMPLE', false],
    ['below it', 'x.api.blocked.example', true],
    ['of one label', 'intranet', true],
    ['of the greatest length', `${long}${'b'.repeat(253 - long.length)}`, true],
  ])('%s', (_, host, passes) => {
    expect(new Worker(wasm, { configuration }).connection(host)).toMatchObject({ isClosed: !passes });
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['a dot at the end', 'api.blocked.example.'],
    ['a dot at the start', '.api.open.example'],
    ['two dots', 'api..open.example'],
    ['an address', '192.0.2.1'],
    ['a number', '3221225985'],
    ['a last label of digits', 'api.example.1'],
    ['an address of version 6', '[2001:db8::1]'],
    ['a port', 'api.open.example:443'],
    ['a zero byte', 'api.blocked.example\0'],
    ['a space', 'api.blocked.example '],
    ['letters beyond ASCII', 'api.blöcked.example'],
    ['a longer one', `${long}${'b'.repeat(254 - long.length)}`],
  ])('that is none is not let out, whatever the default: %s', (_, host) => {
    const worker = new Worker(wasm, { configuration });
    const { isClosed, decision } = worker.connection(host);
    expect(isClosed).toBe(true);
    expect(decision).toContain('"failed":["egress.host"]');
    expect(decision).not.toContain('blocked.example');
  });
});

test('a policy without a rule on egress lets nobody out', async () => {
  const { wasm: other } = await policyWasm(policy(''), {});
  expect(new Worker(other, { configuration }).connection('api.open.example')).toMatchObject({ isClosed: true });
});

test('connections are counted, and leave no memory behind', () => {
  const worker = new Worker(wasm, { configuration });
  const counts = (): readonly number[] =>
    ['writ_connections_forwarded_total', 'writ_connections_denied_total'].map(
      (name) => [...worker.metrics.values()].find((metric) => metric.name === name)?.value ?? -1,
    );
  // What is written anew each time keeps the room for the longest.
  worker.connection('api.blocked.example');
  const before = worker.bytesInUse;
  for (let n = 0; n < 2_000; n++) worker.connection(n % 4 === 0 ? 'api.blocked.example' : `host-${n}.example`);
  expect(worker.bytesInUse).toBe(before);
  expect(counts()).toEqual([1_500, 501]);
});
