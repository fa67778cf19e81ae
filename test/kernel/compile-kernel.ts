/** Compiles one AssemblyScript entry with the kernel's own flags; for tests that look at one part of the kernel. Cached by content for the life of the process. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The wasm of `entry` (relative to the repository), with `policy.*` still imported. `heapAt`: where the kernel's own data ends up at the earliest. */
export async function compileKernel(entry: string): Promise<Uint8Array<ArrayBuffer>> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [entry, '--outFile', 'out.wasm', '--runtime', 'stub', '-O1', '--use', 'abort=', '--enable', 'simd', '--memoryBase', '1024', '--initialMemory', '64'],
    {
      readFile: (name, base) => {
        try {
          return readFileSync(resolve(base ?? root, relative(root, resolve(root, name)) === name ? join(root, name) : name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) binary = contents as Uint8Array;
      },
      listFiles: (dir) => readdirSync(join(root, dir)).filter((f) => f.endsWith('.ts')),
    },
  );
  if (error || !binary) throw new Error(`${error?.message ?? 'no output'}\n${stderr.toString()}`);
  return new Uint8Array(binary);
}
