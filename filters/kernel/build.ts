/**
 * Compiles the kernels: AssemblyScript in this folder to `build/kernel/NAME.wasm`, once, when the package is built.
 * What a policy adds is linked in later (compiler/wasm/link.ts), which optimises what it adds and inlines it; names are
 * kept for it.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KERNEL = dirname(fileURLToPath(import.meta.url));
/** Exports that the linker needs of every kernel. */
const EXPORTS = join(KERNEL, 'decision', 'exports.ts');

/** `session` has its own memory, as proxy-wasm wants; `opa` takes its host's, as OPA's ABI says. */
const KERNELS = { session: ['--shrinkLevel', '1'], opa: ['--importMemory', '--shrinkLevel', '1'] } as const;
export type KernelName = keyof typeof KERNELS;

/** Compiles one entry. `entry` is a path; the result is a debug module with names. */
export async function compileKernel(entry: string, flags: readonly string[] = []): Promise<Uint8Array> {
  let wasm: Uint8Array | null = null;
  let messages = '';
  const write = { write: (text: string) => ((messages += text), true) };
  const { error } = await asc.main(
    [
      ...[entry, EXPORTS].map((path) => relative(ROOT, path)),
      '--baseDir',
      ROOT,
      '--outFile',
      'kernel.wasm',
      '--runtime',
      'stub',
      '-O3',
      '--debug',
      '--use',
      'abort=',
      '--enable',
      'simd',
      // Address 0 stays unused: it means "none" everywhere.
      '--memoryBase',
      '1024',
      ...flags,
    ],
    {
      stdout: write,
      stderr: write,
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm') && typeof contents !== 'string') wasm = contents;
      },
    },
  );
  if (error !== null || wasm === null) throw new Error(`asc: ${entry}\n${messages}`, { cause: error });
  return wasm;
}

/** The sessions are exported twice: as they are, and as proxy-wasm. */
const ENTRIES: { readonly [K in KernelName]: string } = { session: 'filter.ts', opa: 'opa.ts' };

export function kernelEntry(name: KernelName): string {
  return join(KERNEL, ENTRIES[name]);
}

export function kernelFlags(name: KernelName): readonly string[] {
  return KERNELS[name];
}

/** `node filters/kernel/build.ts [NAME…]`: all kernels where none is named. */
async function main(names: readonly string[]): Promise<void> {
  const folder = join(ROOT, 'build', 'kernel');
  mkdirSync(folder, { recursive: true });
  for (const name of Object.keys(KERNELS) as KernelName[]) {
    if (!existsSync(kernelEntry(name)) || (names.length > 0 && !names.includes(name))) continue;
    writeFileSync(join(folder, `${name}.wasm`), await compileKernel(kernelEntry(name), kernelFlags(name)));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
