/**
 * Compiles the kernels: AssemblyScript in this folder to `build/kernel/NAME.wasm`, once, when the package is built.
 * What a policy adds is linked in later (compiler/wasm/link.ts); what the kernel imports of it (policy.ts) becomes
 * places that a link fills without reading the code around them:
 *
 * - `decide` is a function of the kernel's own that does nothing, exported as `policy_decide`;
 * - the constants are globals, exported as `policy_NAME`, which the code reads in place of the calls;
 * - so is the first byte behind the kernel's data: `policy_heapBase`.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KERNEL = dirname(fileURLToPath(import.meta.url));
/** Exports that the linker needs of every kernel. */
const EXPORTS = join(KERNEL, 'decision', 'exports.ts');

/** `session` has its own memory, as proxy-wasm wants; `opa` takes its host's, as OPA's ABI says. */
const KERNELS = { session: ['--shrinkLevel', '1'], opa: ['--importMemory', '--shrinkLevel', '1'] } as const;
export type KernelName = keyof typeof KERNELS;

/** Compiles one entry, a path: optimised, and ready to be linked. */
export async function compileKernel(entry: string, flags: readonly string[] = []): Promise<Uint8Array> {
  return linkable(await compileModule(entry, flags));
}

/** Compiles one entry, a path: a module with names, and with imports as the sources have them. */
export async function compileModule(entry: string, flags: readonly string[] = []): Promise<Uint8Array> {
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

const FEATURES = (binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SIMD128) as binaryen.Features;
/** The module that policy.ts's imports are from: its file's name. */
const POLICY = 'policy';
/** AssemblyScript names an import's module after its file, and no file of ours has WASI's name. */
const WASI_FUNCTIONS: ReadonlySet<string> = new Set(['random_get']);
const WASI_MODULE = 'wasi_snapshot_preview1';

function linkable(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  try {
    module.setFeatures(FEATURES);
    let decide: FunctionInfo | undefined;
    for (const info of functionsOf(module)) {
      if (info.base !== null && WASI_FUNCTIONS.has(info.base)) {
        module.removeFunction(info.name);
        module.addFunctionImport(info.name, WASI_MODULE, info.base, info.params, info.results);
      } else if (info.module === POLICY && info.params === binaryen.none) {
        module.removeFunction(info.name);
        addConstant(module, `${POLICY}_${info.base}`, 0);
        module.addFunction(
          info.name,
          info.params,
          info.results,
          [],
          module.global.get(`${POLICY}_${info.base}`, info.results),
        );
      } else if (info.module === POLICY) decide = info;
    }
    const heapBase = heapBaseOf(module);
    if (heapBase !== undefined) {
      addConstant(module, `${POLICY}_heapBase`, heapBase);
      module.removeExport(HEAP_BASE);
    }
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(0);
    binaryen.setOneCallerInlineMaxSize(0);
    binaryen.setDebugInfo(false);
    // No pass that would take the constants' first values for their last.
    module.runPasses(['inlining', 'remove-unused-module-elements', 'memory-packing']);
    if (decide !== undefined) {
      module.removeFunction(decide.name);
      module.addFunction(decide.name, decide.params, decide.results, [], module.nop());
      module.addFunctionExport(decide.name, `${POLICY}_decide`);
    }
    if (module.validate() === 0) throw new Error('the kernel is not a valid module once its imports are replaced');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

type FunctionInfo = ReturnType<typeof binaryen.getFunctionInfo>;

function functionsOf(module: binaryen.Module): readonly FunctionInfo[] {
  return Array.from({ length: module.getNumFunctions() }, (_, at) =>
    binaryen.getFunctionInfo(module.getFunctionByIndex(at)),
  );
}

function addConstant(module: binaryen.Module, name: string, value: number): void {
  module.addGlobal(name, binaryen.i32, false, module.i32.const(value));
  module.addGlobalExport(name, name);
}

/** The export of decision/exports.ts that returns it. */
const HEAP_BASE = 'decision_heap_base';

/** First byte behind the kernel's static data: the constant that its export returns. */
function heapBaseOf(module: binaryen.Module): number | undefined {
  for (let at = 0; at < module.getNumExports(); at++) {
    const { name, value } = binaryen.getExportInfo(module.getExportByIndex(at));
    if (name !== HEAP_BASE) continue;
    const found = constantIn(module, binaryen.getFunctionInfo(module.getFunction(value)).body);
    if (found === undefined) throw new Error(`${HEAP_BASE} does not return a constant`);
    return found;
  }
  return undefined;
}

function constantIn(module: binaryen.Module, expression: binaryen.ExpressionRef): number | undefined {
  const info = binaryen.getExpressionInfo(expression);
  if (info.id === binaryen.ConstId) return Number((info as binaryen.ConstInfo).value);
  if (info.id === binaryen.GlobalGetId)
    return constantIn(module, binaryen.getGlobalInfo(module.getGlobal((info as binaryen.GlobalGetInfo).name)).init);
  if (info.id === binaryen.ReturnId) return constantIn(module, (info as binaryen.ReturnInfo).value);
  if (info.id === binaryen.BlockId)
    return (info as binaryen.BlockInfo).children
      .map((child) => constantIn(module, child))
      .find((value) => value !== undefined);
  return undefined;
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
