/**
 * Links a policy into a kernel: `decide` and the tables take the place of the kernel's imports from module `policy`,
 * and the whole is optimised. The same arguments give the same bytes. What the kernel exports beyond that is its own
 * affair; names and debug information are dropped.
 */
import binaryen from 'binaryen';
import * as abi from '../../filters/kernel/abi.ts';
import {
  type Identity,
  writeBudgets,
  writeEnums,
  writeIdentities,
  writeModels,
  writeStores,
} from '../tables/catalog.ts';
import { writeFacts } from '../tables/facts.ts';
import { writeRules } from '../tables/rules.ts';
import { TableWriter } from '../tables/table-writer.ts';
import { ENUM_MEMBERS_MAX, MODELS_MAX, PLAN_VERSION, type Plan, RULES_MAX } from '../plan/plan.ts';
import { invariant } from '../plan/invariant.ts';
import { dataSegments, replaceMemory } from './data-segments.ts';
import { addDecide, POLICY_PREFIX } from './decide.ts';
import type { Helper, PolicyCode } from './policy-code.ts';
import { sitesOf } from './site.ts';

export interface LinkInput {
  /** A kernel as filters/kernel/build.ts makes it: optimised, with names. */
  readonly kernel: Uint8Array;
  readonly plan: Plan;
  /** Tables that hold no absolute addresses. */
  readonly detectors?: Uint8Array;
  readonly protocols?: Uint8Array;
  /** Of each store (by its position), the pushed-down filter's table. */
  readonly storeFilters?: readonly (Uint8Array | undefined)[];
  readonly identities?: readonly Identity[];
  /** Pages of 64 KiB: memory is imported with this minimum, or the module has its own. */
  readonly memory: { readonly kind: 'imported' } | { readonly kind: 'own'; readonly pagesMax: number };
  /**
   * For tests that link thousands of policies: what the module answers is the same, and optimising takes ten times as
   * long as all else.
   */
  readonly unoptimized?: true;
}

const FEATURES = (binaryen.Features.MutableGlobals |
  binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SIMD128) as binaryen.Features;
/** The section that names what the module was made from. */
export const WRIT_SECTION = 'writ';
const PAGE_BYTES = 65_536;
/** Hosts grow imported memory as they like. */
const NO_MAXIMUM = 0xffff_ffff;

export function link(input: LinkInput): Uint8Array {
  const { plan } = input;
  assertLimits(plan);
  const module = binaryen.readBinary(input.kernel);
  module.setFeatures(FEATURES);
  try {
    const kernel = kernelFunctions(module);
    const writer = new TableWriter((heapBase(module, kernel) + 15) & ~15);
    const tables = writeTables(input, writer);
    const code: PolicyCode = {
      module,
      plan,
      writer,
      helper: (name: Helper) => named(kernel.exports, `decision_${name}`),
    };
    const decide = named(kernel.imports, 'decide');
    module.removeFunction(decide);
    addDecide(code, tables.sites, tables.addresses, decide);
    const resultBytes = Math.max(...tables.sites.map((site) => site.layout.bytes), 32);
    const { directory } = tables;

    const constants: { readonly [name: string]: number } = {
      heapStart: writer.end,
      tables: directory,
      factsBytes: Math.max(1, plan.facts.length) * abi.SLOT_BYTES,
      resultBytes: resultBytes,
    };
    for (const [name, value] of Object.entries(constants)) {
      const internal = kernel.imports.get(name);
      if (internal === undefined) continue;
      module.removeFunction(internal);
      module.addFunction(internal, binaryen.none, binaryen.i32, [], module.i32.const(value));
    }
    nameWasiImports(module, kernel);
    for (const name of kernel.exports.keys()) if (name.startsWith('decision_')) module.removeExport(name);
    setMemory(module, input.memory, writer);
    if (input.unoptimized !== true) optimize(module);
    module.addCustomSection(WRIT_SECTION, provenance(plan));
    return emit(module);
  } finally {
    module.dispose();
  }
}

/** What words and bytes of the result can hold. */
function assertLimits(plan: Plan): void {
  invariant(plan.models.length <= MODELS_MAX, `a plan has at most ${MODELS_MAX} models`);
  invariant(
    plan.enums.every(({ members }) => members.length <= ENUM_MEMBERS_MAX),
    `an enum has at most ${ENUM_MEMBERS_MAX} members`,
  );
  invariant(
    plan.events.every(({ rules }) => rules.length <= RULES_MAX),
    `an event has at most ${RULES_MAX} rules`,
  );
}

// ------------------------------------------------------------------------------------------------------------------
// kernel

/** AssemblyScript names an import's module after its file, and no file of ours has WASI's name. */
const WASI_FUNCTIONS: ReadonlySet<string> = new Set(['random_get']);
const WASI_MODULE = 'wasi_snapshot_preview1';

function nameWasiImports(module: binaryen.Module, { imports }: KernelFunctions): void {
  for (const name of WASI_FUNCTIONS) {
    const internal = imports.get(name);
    if (internal === undefined) continue;
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(internal));
    module.removeFunction(internal);
    module.addFunctionImport(internal, WASI_MODULE, name, params, results);
  }
}

interface KernelFunctions {
  /** Internal names of the imports of module `policy` and of WASI's, by their name there. */
  readonly imports: ReadonlyMap<string, string>;
  /** Internal names of the exported functions. */
  readonly exports: ReadonlyMap<string, string>;
}

function kernelFunctions(module: binaryen.Module): KernelFunctions {
  const imports = new Map<string, string>();
  for (let at = 0; at < module.getNumFunctions(); at++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(at));
    if (info.base !== null && (info.module === 'policy' || WASI_FUNCTIONS.has(info.base)))
      imports.set(info.base, info.name);
  }
  const exports = new Map<string, string>();
  for (let at = 0; at < module.getNumExports(); at++) {
    const info = binaryen.getExportInfo(module.getExportByIndex(at));
    if (info.kind === binaryen.ExternalFunction) exports.set(info.name, info.value);
  }
  return { imports, exports };
}

function named(functions: ReadonlyMap<string, string>, name: string): string {
  const internal = functions.get(name);
  invariant(internal !== undefined, `the kernel has a function ${name}`);
  return internal;
}

/** First byte behind the kernel's static data: the constant that `decision_heap_base` returns. */
function heapBase(module: binaryen.Module, { exports }: KernelFunctions): number {
  const { body } = binaryen.getFunctionInfo(module.getFunction(named(exports, 'decision_heap_base')));
  const found = constantIn(module, body);
  invariant(found !== undefined, 'decision_heap_base returns a constant');
  return found;
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

// ------------------------------------------------------------------------------------------------------------------
// tables

function writeTables(input: LinkInput, writer: TableWriter) {
  const { plan } = input;
  const directory = writer.reserve(abi.TABLE_SECTIONS * 4);
  const section = (which: number, address: number) => writer.u32(directory + which * 4, address);
  const facts = writeFacts(plan, writer);
  section(abi.T_FACTS, facts.facts);
  section(abi.T_BUILTIN_SLOTS, facts.builtinSlots);
  section(abi.T_ENUMS, writeEnums(plan, writer));
  section(abi.T_MODELS, writeModels(plan, writer));
  const filters = plan.stores.map((_, at) => block(input.storeFilters?.[at], writer));
  section(abi.T_STORES, writeStores(plan, facts.metadata, filters, writer));
  const sites = sitesOf(plan);
  const rules = writeRules(plan, sites, writer);
  section(abi.T_RULES, rules.rules);
  section(abi.T_BUDGETS, writeBudgets(plan, writer));
  section(abi.T_DETECTORS, block(input.detectors, writer));
  section(abi.T_PROTOCOLS, block(input.protocols, writer));
  section(abi.T_IDENTITIES, writeIdentities(input.identities ?? [], writer));
  return { sites, addresses: rules.sites, directory };
}

function block(bytes: Uint8Array | undefined, writer: TableWriter): number {
  return bytes === undefined ? 0 : writer.block(bytes);
}

function setMemory(module: binaryen.Module, memory: LinkInput['memory'], writer: TableWriter): void {
  const imported = memory.kind === 'imported';
  // A page beyond the tables, so that the first allocations need not grow it.
  const pages = Math.ceil(writer.end / PAGE_BYTES) + (imported ? 0 : 1);
  const data = [...dataSegments(module), { offset: writer.base, data: writer.image }];
  replaceMemory(module, { pages, pagesMax: imported ? NO_MAXIMUM : memory.pagesMax, imported }, data);
}

// ----------------------------------------------------------------------------------------------------------------
// finishing

/**
 * The kernel comes optimised and the policy's code is straight-line: what is left is to inline the constants that took
 * the imports' places, and to tidy what was added. Binaryen's whole pipeline saves 3% of the bytes and takes ten times
 * as long (1.4 s instead of 0.2 s for a thousand rules), because it inlines the rules' functions into one and then
 * optimises that.
 */
const POLICY_PASSES = [
  'optimize-instructions',
  'precompute',
  'simplify-locals',
  'vacuum',
  'remove-unused-brs',
  'coalesce-locals',
  'reorder-locals',
  'vacuum',
];
const MODULE_PASSES = ['inlining', 'remove-unused-module-elements', 'memory-packing'];

function optimize(module: binaryen.Module): void {
  invariant(module.validate() === 1, 'the linked module is valid');
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(0);
  binaryen.setOneCallerInlineMaxSize(0);
  binaryen.setDebugInfo(false);
  for (let at = 0; at < module.getNumFunctions(); at++) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(at));
    if (info.name.startsWith(POLICY_PREFIX)) module.runPassesOnFunction(info.name, POLICY_PASSES);
  }
  module.runPasses(MODULE_PASSES);
}

function provenance(plan: Plan): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify({
      policy: plan.policy,
      sourceHash: plan.sourceHash,
      compiler: plan.compilerVersion,
      plan: PLAN_VERSION,
    }),
  );
}

function emit(module: binaryen.Module): Uint8Array {
  return module.emitBinary();
}
