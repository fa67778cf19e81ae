// A copy of the program with one mistake in it: a folder under build/ that holds the named source folders, one text
// replaced, and links to the rest.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Mutation {
  /** What a careless author would have done. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes the copy and returns the URL of each file in it, by paths relative to the root. `folders` are copied; `links`
 * are what they import beyond themselves.
 */
export function makeMutant(
  id: string,
  mutation: Mutation,
  folders: readonly string[],
  links: readonly string[],
): (path: string) => string {
  // Vitest keeps where the imports of a path led, and a link leads elsewhere than a copy.
  const layout = createHash('sha256')
    .update(JSON.stringify([folders, links]))
    .digest('hex')
    .slice(0, 8);
  const copy = join(root, 'build', 'mutants', layout, id);
  rmSync(copy, { recursive: true, force: true });
  for (const folder of folders) cpSync(join(root, folder), join(copy, folder), { recursive: true });
  for (const link of links) {
    mkdirSync(dirname(join(copy, link)), { recursive: true });
    symlinkSync(join(root, link), join(copy, link));
  }
  const path = join(copy, mutation.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(mutation.find).length !== 2)
    throw new Error(`\`${mutation.find}\` does not stand exactly once in ${mutation.file}`);
  writeFileSync(
    path,
    source.replace(mutation.find, () => mutation.replace),
  );
  return (file) => pathToFileURL(join(copy, file)).href;
}
