/**
 * What the sidecar keeps on disk: the last release that it enforced, so that it starts without the control plane, and
 * the newest sequence that it has ever verified, so that nothing older comes back unasked; of each list and switch the
 * newest state that it has ever verified, for both reasons; and the policy's key. Files are written beside
 * their place, flushed, and renamed: after a crash the old or the new one is there, whole. What is read is verified
 * again: the disk is not trusted. A boundary file.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { feedResource } from '../../compiler/bundle/feed.ts';
import type { DataFeed } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { DataFeedSchema } from '../../proto/gen/writ/v1/feeds_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import { tryLock } from '../../proto/process-lock.mjs';
import { SidecarError } from './sidecar-error.ts';

export interface Newest {
  readonly sequence: number;
  readonly revision: string;
}

export interface StateFolder {
  readonly path: string;
  /** Undefined when none was kept. Throws SidecarError `state` when it cannot be read. */
  readRelease(): SignedBundle | undefined;
  keepRelease(release: SignedBundle): void;
  readNewest(): Newest;
  keepNewest(newest: Newest): void;
  /** The newest of every feed, in no order; a damaged one is told of and left out. */
  readFeeds(onDamaged: () => void): readonly DataFeed[];
  keepFeed(feed: DataFeed): void;
  /** Undefined when none was kept. */
  readPolicyKey(): DeploymentKey | undefined;
  keepPolicyKey(key: DeploymentKey): void;
  /** Lets another process have the folder. */
  close(): void;
}

const RELEASE_FILE = 'release.bin';
const NEWEST_FILE = 'newest.json';
const FEEDS_FOLDER = 'feeds';
const FEED_FILE = /^[0-9a-f]{32}\.bin$/;
const POLICY_KEY_FILE = 'policy.key';
const LOCK_FILE = 'lock';
const NONE: Newest = { sequence: 0, revision: '' };

/**
 * Two processes on one folder would spend one journal's money twice: the second is refused. What a killed one left is
 * taken over. Throws SidecarError `state` and `locked`.
 */
export function openStateFolder(path: string): StateFolder {
  attempt('the state folder cannot be made', () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  const lock = attempt('the state folder cannot be written', () => tryLock(join(path, LOCK_FILE)));
  if (!lock.isTaken) {
    const holder = lock.holderPid === 0 ? '' : ` (process ${lock.holderPid})`;
    throw new SidecarError('locked', `another sidecar${holder} has the state folder \`${path}\` open`);
  }
  return {
    path,
    close: lock.release,
    readRelease: () => {
      const bytes = readIfThere(join(path, RELEASE_FILE));
      return bytes === undefined
        ? undefined
        : attempt('the kept release is damaged', () => fromBinary(SignedBundleSchema, bytes));
    },
    keepRelease: (release) => writeWhole(path, RELEASE_FILE, toBinary(SignedBundleSchema, release)),
    readPolicyKey: () => DeploymentKey.parse(readIfThere(join(path, POLICY_KEY_FILE))?.toString('utf8') ?? ''),
    keepPolicyKey: (key) => writeWhole(path, POLICY_KEY_FILE, Buffer.from(key.revealText(), 'utf8')),
    readNewest: () => {
      const bytes = readIfThere(join(path, NEWEST_FILE));
      return bytes === undefined
        ? NONE
        : attempt('the record of the newest release is damaged', () => readNewest(bytes.toString('utf8')));
    },
    readFeeds: (onDamaged) => readFeeds(join(path, FEEDS_FOLDER), onDamaged),
    keepFeed: (feed) => {
      const folder = join(path, FEEDS_FOLDER);
      attempt('the state folder cannot be written', () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
      writeWhole(folder, feedFile(feed), toBinary(DataFeedSchema, feed));
    },
    keepNewest: (newest) => writeWhole(path, NEWEST_FILE, Buffer.from(`${JSON.stringify(newest)}\n`, 'utf8')),
  };
}

/** Names of feeds may hold anything: their hash is a file's name. */
function feedFile(feed: DataFeed): string {
  return `${createHash('sha256').update(feedResource(feed)).digest('hex').slice(0, 32)}.bin`;
}

function readFeeds(folder: string, onDamaged: () => void): readonly DataFeed[] {
  if (!existsSync(folder)) return [];
  const files = attempt('the state folder cannot be read', () => readdirSync(folder));
  return files
    .filter((name) => FEED_FILE.test(name))
    .flatMap((name) => {
      const bytes = readIfThere(join(folder, name));
      if (bytes === undefined) return [];
      try {
        return [fromBinary(DataFeedSchema, bytes)];
      } catch {
        // What it was, the control plane tells again; until then its facts fail.
        onDamaged();
        return [];
      }
    });
}

function readNewest(text: string): Newest {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'sequence' in value && 'revision' in value) {
    const { sequence, revision } = value;
    if (typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0 && typeof revision === 'string')
      return { sequence, revision };
  }
  throw new Error('not a record of a release');
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new SidecarError('state', 'the state folder cannot be read', { cause });
  }
}

function writeWhole(folder: string, name: string, bytes: Uint8Array): void {
  attempt('the state folder cannot be written', () => {
    const fresh = join(folder, `${name}.new`);
    const file = openSync(fresh, 'w', 0o600);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, join(folder, name));
    const directory = openSync(folder, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  });
}

function attempt<T>(message: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new SidecarError('state', message, { cause });
  }
}
