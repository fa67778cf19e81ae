// A feed: the signed state of one list or one switch of a policy set, beside its bundle. Who may sign it stands in the
// bundle. So whoever passes a feed on can neither forge it nor bring an older one back, and can withhold it no longer
// than the policy lets a list grow old.
import { createHash } from 'node:crypto';
import { BundleError } from './bundle-error.ts';
import { areEntries, ENTRY_BYTES, SALT_BYTES } from './feed-entries.ts';
import type { FeedTerms } from './feed-terms.ts';
import { members, signJws, verifyJws } from './jws.ts';
import type { SigningKey } from './jws.ts';
import { POLICY_NAME } from './release.ts';

export interface ListState {
  readonly kind: 'list';
  /** The policy set. */
  readonly policy: string;
  /** As the policy names the feed. */
  readonly name: string;
  /** From 1, one more each time it is signed. */
  readonly sequence: number;
  /** When it was signed: milliseconds since 1970 UTC. */
  readonly issuedAt: number;
  /** The type of its values: `ListUse.element` of the plan. */
  readonly element: string;
  /** Hex. */
  readonly salt: string;
  readonly count: number;
  /** SHA-256 (hex) of the entries. */
  readonly digest: string;
}

export interface SwitchState {
  readonly kind: 'switch';
  readonly policy: string;
  readonly name: string;
  readonly sequence: number;
  readonly issuedAt: number;
  readonly on: boolean;
  /** It is off from then on; null: until it is switched off. */
  readonly until: number | null;
}

export type FeedState = ListState | SwitchState;

/** As `writ.v1.DataFeed` has it. */
export interface FeedMessage {
  readonly policy: string;
  readonly kind: string;
  readonly name: string;
  readonly sequence: bigint;
  /** The signed state, a JWS. */
  readonly statement: string;
  readonly entries: Uint8Array;
}

export interface VerifiedFeed {
  readonly state: FeedState;
  readonly entries: Uint8Array;
  /** Names the key that signed it. */
  readonly kid: string;
}

/** A signer's clock may be ahead by so much. */
export const FUTURE_MS_MAX = 300_000;
export const FEED_NAME_CHARACTERS_MAX = 128;
/** What keeps another signed document from being read as a feed. */
const KIND = 'writ.feed.v1';
const NO_ENTRIES = new Uint8Array();

export function signFeed(state: FeedState, entries: Uint8Array, key: SigningKey): FeedMessage {
  const { policy, kind, name, sequence } = state;
  return {
    policy,
    kind,
    name,
    sequence: BigInt(sequence),
    statement: signJws({ kind: KIND, feed: { ...state } }, key),
    entries,
  };
}

/** The state of a list with these entries. */
export function listState(
  { policy, name, sequence, issuedAt, element, salt }: Omit<ListState, 'kind' | 'count' | 'digest'>,
  entries: Uint8Array,
): ListState {
  const count = entries.length / ENTRY_BYTES;
  return { kind: 'list', policy, name, sequence, issuedAt, element, salt, count, digest: sha256(entries) };
}

/** By what a feed is known wherever feeds of several policy sets are together. */
export function feedResource({ policy, kind, name }: Pick<FeedMessage, 'policy' | 'kind' | 'name'>): string {
  return `${policy}/${kind}/${name}`;
}

/** As the control plane names it: what need not be sent again. */
export function feedVersion({ sequence, statement }: Pick<FeedMessage, 'sequence' | 'statement'>): string {
  return `${sequence}:${sha256(Buffer.from(statement, 'utf8')).slice(0, 32)}`;
}

/**
 * Everything that must hold before a received feed may be used: a key of a signer that the policy names, copies and
 * entries that are the signed ones, and the policy's own limits. `newest` is the highest sequence ever verified: what
 * is older is refused. Throws BundleError.
 */
export function verifyFeed(
  message: FeedMessage,
  terms: FeedTerms,
  { now, newest }: { readonly now: number; readonly newest: number },
): VerifiedFeed {
  const state = readFeed(verifyJws(message.statement, terms.keys));
  if (
    state.policy !== message.policy ||
    state.kind !== message.kind ||
    state.name !== message.name ||
    BigInt(state.sequence) !== message.sequence ||
    state.kind !== terms.kind ||
    state.name !== terms.name
  )
    throw new BundleError('wrong_feed', 'the feed is not the one that it says, or that was asked for');
  if (state.issuedAt > now + FUTURE_MS_MAX)
    throw new BundleError('future', 'the feed was signed by a clock that is ahead');
  if (state.sequence < newest)
    throw new BundleError('old_sequence', `the feed is number ${state.sequence}, and ${newest} was there before`);
  if (state.kind === 'list' && terms.kind === 'list') checkList(state, message.entries, terms);
  if (state.kind === 'switch' && terms.kind === 'switch') checkSwitch(state, terms);
  return {
    state,
    entries: state.kind === 'list' ? message.entries : NO_ENTRIES,
    kid: signerOf(message.statement),
  };
}

function checkList(
  state: ListState,
  entries: Uint8Array,
  { element, most }: Extract<FeedTerms, { kind: 'list' }>,
): void {
  if (state.element !== element)
    throw new BundleError('wrong_feed', `the feed holds values of type ${state.element}, the policy's list ${element}`);
  if (state.count > most)
    throw new BundleError('too_many_entries', `the feed has ${state.count} entries, the policy takes ${most}`);
  if (entries.length !== state.count * ENTRY_BYTES || sha256(entries) !== state.digest || !areEntries(entries))
    throw new BundleError('wrong_hash', 'the entries are not those that were signed');
}

function checkSwitch({ on, until, issuedAt }: SwitchState, { maxMs }: Extract<FeedTerms, { kind: 'switch' }>): void {
  if (!on || maxMs === null) return;
  if (until === null || until - issuedAt > maxMs)
    throw new BundleError('beyond_maximum', `the switch may be on for ${maxMs / 1_000} seconds at a time`);
}

/** Throws BundleError `bad_feed`. */
function readFeed(payload: unknown): FeedState {
  const { kind: document, feed } = members(payload);
  const { kind, policy, name, sequence, issuedAt, element, salt, count, digest, on, until } = members(feed);
  const isGood =
    document === KIND &&
    typeof policy === 'string' &&
    POLICY_NAME.test(policy) &&
    typeof name === 'string' &&
    name.length >= 1 &&
    name.length <= FEED_NAME_CHARACTERS_MAX &&
    isCount(sequence) &&
    sequence >= 1 &&
    isCount(issuedAt);
  if (isGood && kind === 'list') {
    if (typeof element === 'string' && isHex(salt, SALT_BYTES) && isCount(count) && isHex(digest, 32))
      return { kind, policy, name, sequence, issuedAt, element, salt, count, digest };
  } else if (isGood && kind === 'switch' && typeof on === 'boolean' && (until === null || isCount(until)))
    return { kind, policy, name, sequence, issuedAt, on, until };
  throw new BundleError('bad_feed', 'the feed is malformed');
}

/** The key that a verified statement names. */
function signerOf(statement: string): string {
  const head: unknown = JSON.parse(Buffer.from(statement.split('.')[0]!, 'base64url').toString('utf8'));
  return String(members(head)['kid']);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === 'string' && value.length === bytes * 2 && /^[0-9a-f]*$/.test(value);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
