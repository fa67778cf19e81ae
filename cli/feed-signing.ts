/**
 * Signing and publishing feeds, for `writ list` and `writ switch`: the signer's key, what was published last, and the
 * next state in its place. Whose last state a change builds on is checked here: a control plane that made one up would
 * otherwise have it signed.
 */
import { resolve } from 'node:path';
import { status } from '@grpc/grpc-js';
import { BundleError } from '../compiler/bundle/bundle-error.ts';
import { signFeed, verifyFeed } from '../compiler/bundle/feed.ts';
import type { FeedState, VerifiedFeed } from '../compiler/bundle/feed.ts';
import type { FeedTerms } from '../compiler/bundle/feed-terms.ts';
import type { SigningKey, VerificationKey } from '../compiler/bundle/jws.ts';
import { readPublicKey, readSignerKey, signerKeyPath } from '../control-plane/keys/signer-key.ts';
import { Admin } from '../proto/gen/writ/v1/admin_pb.ts';
import type { DataFeed, FeedInfo } from '../proto/gen/writ/v1/feeds_pb.ts';
import { CommandError, type World } from './command.ts';
import { type AdminClient, adminOptions, type AdminValues, CallError } from './connection.ts';
import { keysFolder } from './keys-option.ts';

export const signerOptions = {
  ...adminOptions,
  policy: { type: 'string' },
  signer: { type: 'string' },
  key: { type: 'string' },
  trust: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

export const signerOptionsHelp = `  --policy NAME              the policy set that reads it
  --signer NAME              signs with signers/NAME.key in the folder of keys, made by \`writ keys signer\`
  --key FILE                 signs with this private key instead
  --trust FILE               the public key of another signer, whose state may be built on; may be given again`;

export interface SignerValues extends AdminValues {
  readonly policy?: string | undefined;
  readonly signer?: string | undefined;
  readonly key?: string | undefined;
  readonly trust?: readonly string[] | undefined;
}

export interface Signer {
  readonly key: SigningKey;
  /** Whose states may be built on: its own, and those of `--trust`. */
  readonly trusted: readonly VerificationKey[];
}

/** Tries of a change, where others publish at the same time. */
const TRIES_MAX = 5;

export function policyOf({ policy }: SignerValues): string {
  if (policy !== undefined) return policy;
  throw new CommandError('no policy is given', 'give `--policy NAME`; `writ status` shows every policy');
}

export function signerOf(values: SignerValues, world: World): Signer {
  const path =
    values.key !== undefined
      ? resolve(world.cwd, values.key)
      : values.signer !== undefined
        ? signerKeyPath(keysFolder(values, world), values.signer)
        : undefined;
  if (path === undefined)
    throw new CommandError(
      'nobody signs it',
      'give `--signer NAME` or `--key FILE`; `writ keys signer NAME` makes a key',
    );
  const { signing, verification } = readSignerKey(path);
  const others = (values.trust ?? []).map((file) => readPublicKey(resolve(world.cwd, file)));
  return { key: signing, trusted: [verification, ...others] };
}

export interface Change {
  readonly policy: string;
  readonly kind: FeedState['kind'];
  readonly name: string;
  /** The next state, or null where nothing is to change; `before` is undefined where nothing was published yet. */
  next(terms: FeedInfo, before: VerifiedFeed | undefined, sequence: number): Next | null;
  /** It takes the place of whatever was there, and need not know it. */
  readonly replaces: boolean;
}

export interface Next {
  readonly state: FeedState;
  readonly entries: Uint8Array;
}

export interface Published {
  readonly terms: FeedInfo;
  /** The state that holds now; undefined: nothing was ever published. */
  readonly state: FeedState | undefined;
  readonly hasChanged: boolean;
}

/** Publishes a change, anew where another was published in between. */
export async function publishChange(admin: AdminClient, change: Change, signer: Signer): Promise<Published> {
  for (let tries = 1; ; tries++) {
    const terms = await feedInfo(admin, change);
    if (!terms.keyIds.includes(signer.key.kid))
      throw new CommandError(
        `the policy in force does not let the key ${signer.key.kid} sign this`,
        'its public half belongs into `signers` of the deployment, which is released with `writ push`',
      );
    const before = lastState(terms, change, signer);
    const next = change.next(terms, before, Number(terms.newest?.sequence ?? 0n) + 1);
    if (next === null) return { terms, state: before?.state, hasChanged: false };
    try {
      await admin.call(Admin.method.publish, signFeed(next.state, next.entries, signer.key));
      return { terms, state: next.state, hasChanged: true };
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== status.ABORTED || tries === TRIES_MAX) throw error;
    }
  }
}

export async function feedInfo(
  admin: AdminClient,
  { policy, kind, name }: Pick<Change, 'policy' | 'kind' | 'name'>,
): Promise<FeedInfo> {
  const { feeds } = await admin.call(Admin.method.feeds, { policy, kind, name });
  const [info] = feeds;
  if (info !== undefined) return info;
  const all = await admin.call(Admin.method.feeds, { policy });
  const names = all.feeds.filter((each) => each.kind === kind).map((each) => `\`${each.name}\``);
  throw new CommandError(
    kind === 'list'
      ? `the policy in force reads no list from the feed \`${name}\``
      : `the policy in force reads no switch \`${name}\``,
    names.length === 0 ? null : `it reads ${names.join(', ')}`,
  );
}

/** Undefined: nothing was published yet, or it need not be known. Throws CommandError where nobody known signed it. */
function lastState(terms: FeedInfo, { policy, replaces }: Change, { trusted }: Signer): VerifiedFeed | undefined {
  if (terms.newest === undefined) return undefined;
  try {
    return readState(terms, terms.newest, policy, trusted);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    if (replaces) return undefined;
    throw new CommandError(
      `what was published last cannot be built on: ${error.message}`,
      'where another signer published it, give that one’s public key with `--trust FILE`; `writ list import` replaces all of a list',
    );
  }
}

/** Throws BundleError. */
export function readState(
  info: FeedInfo,
  feed: DataFeed,
  policy: string,
  keys: readonly VerificationKey[],
): VerifiedFeed {
  return verifyFeed({ ...feed, policy }, termsOf(info, keys), { now: Number.MAX_SAFE_INTEGER, newest: 0 });
}

function termsOf({ kind, name, element, maxAgeMs, most }: FeedInfo, keys: readonly VerificationKey[]): FeedTerms {
  return kind === 'list'
    ? { kind, name, element, maxAgeMs: Number(maxAgeMs), most, keys }
    : { kind: 'switch', name, maxMs: null, keys };
}
