/** Where an import leads. Paths are those of source files: relative to the policy's folder, with `/` between parts. */

/**
 * The path of what the file at `from` imports as `written`; null where it is not a relative path of a `.writ` file. A
 * path may lead out of the policy's folder: `../org/org.writ`.
 */
export function importedPath(from: string, written: string): string | null {
  if (!written.endsWith('.writ') || written.startsWith('/') || /[\\\0]/.test(written)) return null;
  const parts: string[] = from.split('/').slice(0, -1);
  for (const part of written.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
