// The real Chromium, headless, from npm: the tests read the book in it.
import { createHash } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cached } from './cache.ts';
import { runCommand, runInstallCommand } from './command.ts';
import { PartError } from './part-error.ts';

const part = 'chromium';
const version = '153.0.0';
/** Of the package as npm serves it. */
const sha512 = 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==';

export interface InstalledChromium {
  readonly binary: string;
  /** For its process: where the machine lacks libraries that it needs, those that came with it. */
  readonly env: { readonly [name: string]: string };
}

export async function install(): Promise<InstalledChromium> {
  const folder = await cached({
    key: `${part}-${version}-${process.platform}-${process.arch}`,
    label: `Chromium ${version}`,
    hint: '67 MB',
    make: async (draft) => {
      await runInstallCommand(part, 'npm', ['pack', `@sparticuz/chromium@${version}`, '--silent'], { cwd: draft });
      const archive = join(draft, readdirSync(draft).find((name) => name.endsWith('.tgz')) ?? '');
      const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
      if (found !== sha512) throw new PartError(part, 'install_failed', 'the package is not the one that was pinned');
      await runInstallCommand(part, 'tar', ['-xzf', archive, '--strip-components=2', 'package/bin'], { cwd: draft });
      rmSync(archive);
      unpack(join(draft, 'chromium.br'), join(draft, 'chromium'));
      chmodSync(join(draft, 'chromium'), 0o755);
      // Libraries for machines that have none of a desktop's.
      unpack(join(draft, 'al2023.tar.br'), join(draft, 'al2023.tar'));
      await runInstallCommand(part, 'tar', ['-xf', 'al2023.tar'], { cwd: draft });
      for (const name of readdirSync(draft)) if (/\.(br|tar)$/.test(name)) rmSync(join(draft, name));
    },
  });
  const binary = join(folder, 'chromium');
  const { stdout } = await runCommand(part, 'ldd', [binary]);
  return { binary, env: stdout.includes('not found') ? { LD_LIBRARY_PATH: join(folder, 'lib') } : {} };
}

function unpack(from: string, to: string): void {
  writeFileSync(to, brotliDecompressSync(readFileSync(from)));
}
