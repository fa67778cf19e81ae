/** Which files of a folder make a policy: for those who watch them, and read none. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from './command.ts';

const FOLDER_DEPTH_MAX = 16;

/** The absolute paths of a folder's `.writ` files, in no order. */
export function listPolicyFiles(folder: string): Promise<readonly string[]> {
  return writFiles(folder, 0);
}

async function writFiles(folder: string, depth: number): Promise<string[]> {
  if (depth > FOLDER_DEPTH_MAX) throw new CommandError(`\`${folder}\` is more than ${FOLDER_DEPTH_MAX} folders deep`);
  const entries = await readdir(folder, { withFileTypes: true });
  const below = await Promise.all(
    entries
      .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return writFiles(path, depth + 1);
        return Promise.resolve(entry.isFile() && entry.name.endsWith('.writ') ? [path] : []);
      }),
  );
  return below.flat();
}
