// Who may sign: what a deployment says, what is wrong with it, and what a bundle then says of each feed.
import { expect, test } from 'vitest';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { feedTermsOf } from '../../compiler/bundle/feed-terms.ts';
import { parseDeployment } from '../../compiler/deployment/parse-deployment.ts';
import { bundleKey, strangersKey } from '../control-plane/fixtures.ts';

const [pem, otherPem] = [bundleKey, strangersKey].map((key) => key.verification.publicKeyPem) as [string, string];
const PLAN = {
  models: [],
  stores: [],
  lists: [
    { name: 'erased', element: 'text', feed: 'erased-subjects', maxAgeMs: 60_000, most: 100 },
    { name: 'same', element: 'text', feed: 'erased-subjects', maxAgeMs: 30_000, most: 200 },
  ],
  switches: [{ name: 'stop', title: 'Stop', by: 'oncall', maxMs: null }],
} as const;

function parse(signers: unknown) {
  return parseDeployment(JSON.stringify({ listener: { port: 1 }, signers }), PLAN);
}
function problems(signers: unknown): readonly string[] {
  const parsed = parse(signers);
  return parsed.kind === 'problems' ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

test('a good deployment says in the bundle whose key may sign what', () => {
  const parsed = parse({
    privacy: { keys: [pem, otherPem], lists: ['erased-subjects'] },
    oncall: { keys: [otherPem] },
  });
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const files = new Map([
    [BUNDLE_PATHS.plan, json(PLAN)],
    [BUNDLE_PATHS.deployment, json(parsed.deployment)],
  ]);
  expect(feedTermsOf(files)).toEqual([
    // Two lists of one feed: the stricter limits count.
    {
      kind: 'list',
      name: 'erased-subjects',
      element: 'text',
      maxAgeMs: 30_000,
      most: 100,
      keys: [bundleKey.verification, strangersKey.verification],
    },
    { kind: 'switch', name: 'stop', maxMs: null, keys: [strangersKey.verification] },
  ]);
});

test('nobody signs by accident', () => {
  expect(problems(undefined)).toEqual([
    'signers: nobody may sign the feed `erased-subjects` of the list `erased`',
    'signers: nobody may sign the feed `erased-subjects` of the list `same`',
    'signers: the switch `stop` is by `oncall`, who is no signer',
  ]);
  expect(
    problems({ privacy: { keys: [], lists: ['erased-subjects', 'other'] }, oncall: { keys: ['MIIB', pem] } }),
  ).toEqual([
    'signers.privacy.keys: a signer has at least one key',
    'signers.privacy.lists: no rule of the policy reads a list from the feed `other`',
    'signers.oncall.keys.0: this is no public key of RSA in PEM',
  ]);
  expect(problems({ oncall: { keys: [bundleKey.signing.privateKeyPem] } })[0]).toContain('this is no public key');
});

test('a bundle without lists has no feeds, and one that cannot be read has none either', () => {
  const of = (plan: unknown) => feedTermsOf(new Map([[BUNDLE_PATHS.plan, Buffer.from(JSON.stringify(plan))]]));
  expect(of({ events: [] })).toEqual([]);
  for (const lists of [{}, [{ feed: 1 }], [{ feed: 'a', element: 'text', maxAgeMs: -1, most: 1 }]])
    expect(() => of({ lists })).toThrow(expect.objectContaining({ code: 'bad_feed_terms' }));
});
