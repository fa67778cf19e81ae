// Folders of installed parts, shared between clones: one per part and version, whole or not there at all.
import { mkdirSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../cli/build/lock.mjs';

export interface CacheEntry {
  /** The part's name and everything that decides its content, in characters that a file name may have. */
  readonly key: string;
  /** For the progress line. */
  readonly label: string;
  /** What to expect of a long installation, for the progress line. */
  readonly hint?: string;
  /** Fills the given empty folder, which is renamed afterwards: nothing in it may hold its own path. */
  readonly make: (folder: string) => Promise<void>;
  /** False for an entry that has broken since (a virtual environment whose Python is gone). */
  readonly works?: (folder: string) => boolean;
}

export interface CacheOptions {
  readonly root?: string;
  readonly report?: (line: string) => void;
}

/** The folder of the entry, made first when it is not there. Two processes never make the same entry at once. */
export async function cached(entry: CacheEntry, options: CacheOptions = {}): Promise<string> {
  const { root = cacheRoot(process.env), report = reportOnStderr } = options;
  const folder = join(root, entry.key);
  if (isUsable(folder, entry)) return folder;
  const onWait = (pid: number): void => report(`waiting for process ${pid}, which is installing ${entry.label} …`);
  await withLock(
    join(root, `${entry.key}.lock`),
    async () => {
      if (isUsable(folder, entry)) return;
      await makeWhole(root, folder, entry, report);
    },
    { onWait },
  );
  return folder;
}

export function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  return env['WRIT_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'writ');
}

async function makeWhole(
  root: string,
  folder: string,
  entry: CacheEntry,
  report: (line: string) => void,
): Promise<void> {
  const draftPrefix = `${entry.key}.draft-`;
  // We hold the lock, so a draft that is here was left by a process that died.
  for (const name of readdirSync(root)) {
    if (name.startsWith(draftPrefix)) rmSync(join(root, name), { recursive: true, force: true });
  }
  const draft = join(root, `${draftPrefix}${process.pid}`);
  mkdirSync(draft);
  const started = performance.now();
  report(`installing ${entry.label}${entry.hint === undefined ? '' : ` (${entry.hint})`} …`);
  try {
    await entry.make(draft);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  report(`installing ${entry.label}: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function isUsable(folder: string, entry: CacheEntry): boolean {
  return existsSync(folder) && (entry.works?.(folder) ?? true);
}

function reportOnStderr(line: string): void {
  process.stderr.write(`writ: ${line}\n`);
}
