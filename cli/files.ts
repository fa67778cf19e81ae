/** Reads and writes files for commands, with errors that name the file and what to do. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError } from './command.ts';

export async function readBytes(path: string, cwd: string, what: string): Promise<Uint8Array> {
  return readFile(resolve(cwd, path)).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'ENOENT'
        ? `there is no ${what} \`${path}\``
        : `the ${what} \`${path}\` cannot be read: ${error.code ?? 'unknown error'}`,
    );
  });
}

export async function readText(path: string, cwd: string, what: string): Promise<string> {
  const bytes = await readBytes(path, cwd, what);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CommandError(`the ${what} \`${path}\` is not UTF-8 text`);
  }
}

/**
 * All or nothing: the file is written beside its place and moved there, so that a full disk or Ctrl-C leaves the old
 * one.
 */
export async function writeWhole(path: string, cwd: string, bytes: Uint8Array): Promise<void> {
  const at = resolve(cwd, path);
  const beside = `${at}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(at), { recursive: true });
    await writeFile(beside, bytes, { flush: true });
    await rename(beside, at);
  } catch (error) {
    await rm(beside, { force: true });
    throw new CommandError(
      `\`${path}\` cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  }
}
