// The peers that are npm packages (peers/package.json), installed into the cache on first use: `npm ci` of this
// repository does not bring them.
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';
import { cached } from '../../examples/parts/cache.ts';
import { runInstallCommand } from '../../examples/parts/command.ts';

const part = 'bench-peers';
const files = ['package.json', 'package-lock.json'] as const;
const here = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** What the module of this name exports. */
export async function npmPeer(name: string): Promise<object> {
  const folder = await install();
  const entry = createRequire(join(folder, 'package.json')).resolve(name);
  const loaded: object = await import(pathToFileURL(entry).href);
  return loaded;
}

/** Versions as pinned, by package. */
export function npmPeerVersions(): Readonly<Record<string, string>> {
  const manifest: { readonly dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(here('package.json'), 'utf8'),
  );
  return manifest.dependencies;
}

async function install(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(here(file)));
  return cached({
    key: `${part}-${hash.digest('hex').slice(0, 12)}`,
    label: 'the npm packages that the benchmark compares with',
    make: async (draft) => {
      for (const file of files) copyFileSync(here(file), join(draft, file));
      await runInstallCommand(part, 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: draft });
    },
  });
}
