// The sources of this repository and the import statements in them, as text: nothing is loaded. Generated code is not a
// source, nor are goldens, which are what the compiler prints.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports, in order, whether types or values. */
  readonly imports: readonly ImportOf[];
}

export type ImportOf =
  | { readonly kind: 'own'; readonly path: string }
  | { readonly kind: 'missing'; readonly specifier: string }
  | { readonly kind: 'package'; readonly specifier: string };

const folders = ['dsl', 'compiler', 'filters', 'control-plane', 'proto', 'cli', 'examples', 'test'] as const;

export function sources(): readonly Source[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((path) => /\.(ts|mjs)$/.test(path) && !isGenerated(path))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: importsOf(path, text) };
    });
}

function isGenerated(path: string): boolean {
  return path.startsWith('proto/gen/') || path.startsWith('test/golden/acme/') || path.includes('node_modules/');
}

/** `import … from '…'`, `export … from '…'`, `import '…'` and `import('…')` of a literal. */
const specifierPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export function importsOf(path: string, text: string): readonly ImportOf[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
  return [...code.matchAll(specifierPattern)].map((match) => resolve(path, match[1] ?? match[2] ?? match[3] ?? ''));
}

function resolve(from: string, specifier: string): ImportOf {
  if (!specifier.startsWith('.')) return { kind: 'package', specifier };
  const base = posix.join(posix.dirname(from), specifier);
  // AssemblyScript leaves the extension out.
  const found = [base, `${base}.ts`, `${base}/index.ts`].find(
    (path) => /\.(ts|mjs|json)$/.test(path) && existsSync(join(root, path)),
  );
  if (found !== undefined) return { kind: 'own', path: found };
  // Generated code need not be there for its importer's direction to be judged.
  return base.startsWith('proto/gen/') ? { kind: 'own', path: base } : { kind: 'missing', specifier };
}
