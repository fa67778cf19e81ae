/** Reads a policy from disk: one `.writ` file, or every `.writ` file of a folder and its subfolders. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { importedPath } from '../dsl/import-path.ts';
import { parse } from '../dsl/parser.ts';
import { FILE_BYTES_MAX, type SourceFile, sourceFile } from '../dsl/source.ts';
import { CommandError } from './command.ts';
import { listPolicyFiles } from './policy-folder.ts';

export const POLICY_FILES_MAX = 1_000;
const IMPORTS_MAX = 16;

export interface PolicyFiles {
  /** The policy's folder. Paths of the files are relative to it. */
  readonly folder: string;
  /** Those of the folder, and those that they import, which may lie anywhere. */
  readonly files: readonly SourceFile[];
}

export async function readPolicyFiles(path: string, cwd: string): Promise<PolicyFiles> {
  const at = resolve(cwd, path);
  const found = await stat(at).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'ENOENT'
        ? `there is no file or folder \`${path}\``
        : `\`${path}\` cannot be read: ${error.code ?? 'unknown error'}`,
    );
  });
  if (found.isFile()) {
    const folder = dirname(at);
    return { folder, files: await withImports(folder, [await readSource(at, basename(at))]) };
  }
  const paths = await listPolicyFiles(at);
  if (paths.length === 0) throw new CommandError(`there is no \`.writ\` file in \`${path}\``);
  if (paths.length > POLICY_FILES_MAX)
    throw new CommandError(
      `\`${path}\` has ${paths.length} \`.writ\` files; at most ${POLICY_FILES_MAX} make one policy`,
    );
  const files = await Promise.all(paths.map((file) => readSource(file, relative(at, file).replaceAll('\\', '/'))));
  return { folder: at, files: await withImports(at, files) };
}

/** A file that is not there is no error here: the check says which import leads nowhere. */
async function withImports(folder: string, files: readonly SourceFile[]): Promise<readonly SourceFile[]> {
  const own = new Set(files.map(({ path }) => path));
  const wanted = [...new Set(files.flatMap(importsOf))].filter((path) => !own.has(path));
  if (wanted.length > IMPORTS_MAX)
    throw new CommandError(`the policy imports ${wanted.length} files; at most ${IMPORTS_MAX} can be imported`);
  const imported = await Promise.all(
    wanted.map(async (path) => {
      const at = join(folder, path);
      const isThere = await stat(at).then((found) => found.isFile(), isMissing);
      if (!isThere) return [];
      const bytes = await readBytes(at, path);
      return [{ ...decode(bytes, path), importedAs: createHash('sha256').update(bytes).digest('hex') }];
    }),
  );
  return [...files, ...imported.flat()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isMissing({ code }: NodeJS.ErrnoException): false {
  if (code === 'ENOENT' || code === 'ENOTDIR') return false;
  throw new CommandError(`what the policy imports cannot be read: ${code ?? 'unknown error'}`);
}

/** The paths of what a file imports, relative to the policy's folder. Only a file with the word is parsed for it. */
export function importsOf(file: SourceFile): readonly string[] {
  if (!/^import\b/m.test(file.text)) return [];
  return parse(file).file.declarations.flatMap((each) =>
    each.kind === 'import' ? (importedPath(file.path, each.path.value) ?? []) : [],
  );
}

async function readSource(path: string, name: string): Promise<SourceFile> {
  return decode(await readBytes(path, name), name);
}

async function readBytes(path: string, name: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  if (bytes.length > FILE_BYTES_MAX)
    throw new CommandError(`\`${name}\` has ${bytes.length} bytes; a policy file has at most ${FILE_BYTES_MAX}`);
  return bytes;
}

function decode(bytes: Uint8Array, name: string): SourceFile {
  try {
    return sourceFile(name, new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new CommandError(`\`${name}\` is not UTF-8 text${firstStrangeByte(bytes)}`, 'save it as UTF-8');
  }
}

/** Where the text stops being UTF-8, or what it is instead: a file of several hundred lines is not searched by eye. */
function firstStrangeByte(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return ': it is UTF-16';
  // A stream keeps what may be the beginning of a character, and says nothing of it: only what is wrong throws.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  let column = 1;
  for (const byte of bytes) {
    try {
      for (const character of decoder.decode(Uint8Array.of(byte), { stream: true })) {
        line += character === '\n' ? 1 : 0;
        column = character === '\n' ? 1 : column + 1;
      }
    } catch {
      return ` at line ${line}, column ${column}`;
    }
  }
  return ', cut off at its end';
}
