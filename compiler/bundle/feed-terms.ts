// What a bundle says of its feeds: which lists and switches the policy reads, within which limits, and whose keys may
// sign them. Read from the plan and the deployment of a verified bundle, at the boundary.
import { BundleError } from './bundle-error.ts';
import { BUNDLE_PATHS } from './bundle-paths.ts';
import { parseJson } from './canonical-json.ts';
import { members } from './jws.ts';
import { listOf, textOf } from './plan-values.ts';
import type { VerificationKey } from './jws.ts';

export type FeedTerms =
  | {
      readonly kind: 'list';
      /** Of the feed. */
      readonly name: string;
      readonly element: string;
      /** The shortest of the lists that read the feed. */
      readonly maxAgeMs: number;
      readonly most: number;
      readonly keys: readonly VerificationKey[];
    }
  | {
      readonly kind: 'switch';
      readonly name: string;
      readonly maxMs: number | null;
      readonly keys: readonly VerificationKey[];
    };

export interface Signer {
  readonly keys: readonly VerificationKey[];
  /** Feeds of lists that it may sign. */
  readonly lists: readonly string[];
}

/** Those of a bundle's files, lists first, each by name. Throws BundleError `bad_feed_terms`. */
export function feedTermsOf(files: ReadonlyMap<string, Uint8Array>): readonly FeedTerms[] {
  const plan = files.get(BUNDLE_PATHS.plan);
  const deployment = files.get(BUNDLE_PATHS.deployment);
  if (plan === undefined) return [];
  const { lists, switches } = members(parseJson(plan));
  const signers = signersOf(deployment === undefined ? {} : members(parseJson(deployment))['signers']);
  return [
    ...joined(listOf(lists, malformed).map((each) => listTerms(members(each), signers))),
    ...listOf(switches, malformed).map((each) => switchTerms(members(each), signers)),
  ];
}

type ListTerms = Extract<FeedTerms, { kind: 'list' }>;

function listTerms(list: Members, signers: ReadonlyMap<string, Signer>): ListTerms {
  const name = textOf(list['feed'], malformed);
  const keys = [...signers.values()].filter(({ lists }) => lists.includes(name)).flatMap(({ keys: its }) => its);
  return {
    kind: 'list',
    name,
    element: textOf(list['element'], malformed),
    maxAgeMs: count(list['maxAgeMs']),
    most: count(list['most']),
    keys,
  };
}

function switchTerms(each: Members, signers: ReadonlyMap<string, Signer>): FeedTerms {
  const { maxMs } = each;
  return {
    kind: 'switch',
    name: textOf(each['name'], malformed),
    maxMs: maxMs === null ? null : count(maxMs),
    keys: signers.get(textOf(each['by'], malformed))?.keys ?? [],
  };
}

/** Lists that share a feed are one: the stricter limits count. */
function joined(lists: readonly ListTerms[]): readonly ListTerms[] {
  const byName = new Map<string, ListTerms>();
  for (const terms of lists) {
    const other = byName.get(terms.name) ?? terms;
    byName.set(terms.name, {
      ...terms,
      maxAgeMs: Math.min(terms.maxAgeMs, other.maxAgeMs),
      most: Math.min(terms.most, other.most),
    });
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Members = ReturnType<typeof members>;

/** Of a bundle's deployment, as compiler/deployment wrote it. */
function signersOf(value: unknown): ReadonlyMap<string, Signer> {
  return new Map(
    Object.entries(members(value)).map(([name, signer]) => {
      const { keys, lists } = members(signer);
      return [
        name,
        {
          keys: listOf(keys, malformed).map((key) => {
            const { kid, publicKeyPem } = members(key);
            return { kid: textOf(kid, malformed), publicKeyPem: textOf(publicKeyPem, malformed) };
          }),
          lists: listOf(lists, malformed).map((each) => textOf(each, malformed)),
        },
      ];
    }),
  );
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed();
  return value;
}

function malformed(): BundleError {
  return new BundleError('bad_feed_terms', "the bundle's lists, switches or signers cannot be read");
}
