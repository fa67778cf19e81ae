// What a run ran on.
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Machine } from './results.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export function machine(versions: { readonly [name: string]: string }): Machine {
  return {
    processors: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memoryGigabytes: Math.round(totalmem() / 1024 ** 3),
    // What a vendor calls its build of the kernel says nothing.
    system: `${type()} ${release().split('-')[0] ?? ''}`,
    versions: { node: process.version, ...versions },
  };
}

/** Ends in `+` where files were changed since; `unknown` outside a clone. */
export function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    // The results themselves are what a run changes.
    const changed = git(
      'status',
      '--porcelain',
      '--untracked-files=no',
      '--',
      '.',
      ':!test/bench/results.*',
      ':!README.md',
    );
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}
