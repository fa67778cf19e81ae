// The benchmark's own programs in Go (go/), compiled once for their sources and kept in the cache.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from '../../examples/parts/cache.ts';
import { runInstallCommand } from '../../examples/parts/command.ts';
import { findGo, goSettings } from '../../examples/parts/go.ts';

export type GoProgram = 'echo' | 'load' | 'upstream';

const part = 'bench-go';
const sources = fileURLToPath(new URL('go/', import.meta.url));

/** The executable. The modules that it is made of are pinned by go.sum. */
export async function goProgram(name: GoProgram): Promise<string> {
  const folder = await cached({
    key: `${part}-${name}-${process.platform}-${process.arch}-${digestOf(name)}`,
    label: `the benchmark's \`${name}\``,
    hint: 'compiled from source, about a minute',
    make: async (draft) => {
      await runInstallCommand(part, await findGo(), ['build', '-trimpath', '-o', join(draft, name), `./${name}`], {
        cwd: sources,
        env: { ...goSettings, GOFLAGS: '-mod=readonly -buildvcs=false' },
      });
    },
  });
  return join(folder, name);
}

function digestOf(name: GoProgram): string {
  const hash = createHash('sha256');
  const own = readdirSync(join(sources, name)).map((file) => join(name, file));
  for (const file of ['go.mod', 'go.sum', ...own.sort()]) hash.update(readFileSync(join(sources, file)));
  return hash.digest('hex').slice(0, 12);
}
