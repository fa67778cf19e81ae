/**
 * Links a policy into a kernel: `decide`, the tables and their addresses are put into the places that the kernel holds
 * open. The same arguments give the same bytes. What the kernel exports beyond that is its own affair.
 *
 * Nothing is optimised here: the kernel comes optimised, and a policy's functions are straight-line code that an engine
 * compiles well as it stands. Binaryen's passes took 5% off the functions of a thousand rules, changed no time that
 * could be measured, and made a link ten times as long.
 */
import * as abi from '../../filters/kernel/abi.ts';
import {
  type Identity,
  writeBudgets,
  writeEnums,
  writeIdentities,
  writeModels,
  writeRedactions,
  writeStores,
  writeTools,
} from '../tables/catalog.ts';
import { writeFacts } from '../tables/facts.ts';
import { writeFeeds } from '../tables/feeds.ts';
import { writeReceipts } from '../tables/receipts.ts';
import { writeRules } from '../tables/rules.ts';
import { TableWriter } from '../tables/table-writer.ts';
import { ENUM_MEMBERS_MAX, MODELS_MAX, PLAN_VERSION, type Plan, RULES_MAX } from '../plan/plan.ts';
import { REDACTIONS_MAX } from '../plan/redaction.ts';
import { invariant } from '../plan/invariant.ts';
import { decideFunctions } from './decide.ts';
import { asksFor, heapBase, readKernel, withPolicy } from './kernel.ts';
import { pack } from './pack.ts';
import { sitesOf } from './site.ts';

export interface LinkInput {
  /** A kernel as filters/kernel/build.ts makes it. */
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
}

/** The section that names what the module was made from. */
export const WRIT_SECTION = 'writ';
const PAGE_BYTES = 65_536;
const RESULT_BYTES_MIN = 32;

export function link(input: LinkInput): Uint8Array {
  const { plan, memory } = input;
  assertLimits(plan);
  const kernel = readKernel(input.kernel);
  const imported = memory.kind === 'imported';
  invariant(kernel.importsMemory === imported, `the kernel's memory is ${memory.kind}`);
  const writer = new TableWriter((heapBase(kernel) + 15) & ~15);
  const { sites, addresses, directory } = writeTables(input, writer);
  const functions = decideFunctions({ plan, writer }, sites, addresses);
  const packed = !asksFor(kernel, 'packedAt') ? null : { address: writer.end, bytes: pack(writer.image) };
  const end = packed === null ? writer.end : packed.address + packed.bytes.length;
  const linked = withPolicy(kernel, {
    functions,
    constants: {
      heapStart: writer.end,
      tables: directory,
      factsBytes: Math.max(1, plan.facts.length) * abi.SLOT_BYTES,
      resultBytes: Math.max(...sites.map((site) => site.layout.bytes), RESULT_BYTES_MIN),
      packedAt: packed?.address ?? 0,
      packedEnd: packed === null ? 0 : end,
      unpackedAt: packed === null ? 0 : writer.base,
    },
    data: [packed ?? { address: writer.base, bytes: writer.image }],
    memory: {
      // A page beyond the tables, so that the first allocations need not grow it.
      pages: Math.ceil(end / PAGE_BYTES) + (imported ? 0 : 1),
      // Hosts grow imported memory as they like.
      pagesMax: imported ? null : memory.pagesMax,
    },
    section: { name: WRIT_SECTION, content: provenance(plan) },
  });
  invariant(WebAssembly.validate(linked), 'the linked module is valid');
  return linked;
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
  invariant(plan.redactions.length <= REDACTIONS_MAX, `a plan has at most ${REDACTIONS_MAX} modes of redaction`);
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
  section(abi.T_TOOLS, writeTools(plan, facts.calls, writer));
  const sites = sitesOf(plan);
  const rules = writeRules(plan, sites, writer);
  section(abi.T_RULES, rules.rules);
  section(abi.T_BUDGETS, writeBudgets(plan, writer));
  section(abi.T_DETECTORS, block(input.detectors, writer));
  section(abi.T_PROTOCOLS, block(input.protocols, writer));
  section(abi.T_REDACTIONS, writeRedactions(plan, writer));
  section(abi.T_RECEIPTS, writeReceipts(plan, writer));
  section(abi.T_IDENTITIES, writeIdentities(input.identities ?? [], writer));
  if (sites.some((site) => site.holds.length > 0)) {
    const source = writer.reserve(8);
    writer.text(source, plan.sourceHash);
    section(abi.T_REVIEW, source);
  }
  section(abi.T_FEEDS, writeFeeds(plan, writer));
  if (sites.some((site) => site.keeps.length > 0)) {
    const share = writer.reserve(4);
    const later = sites.filter(({ event }) => event === abi.EVENT_COMPLETION || event === abi.EVENT_EXCHANGE);
    writer.u32(share, Math.max(0, ...later.flatMap(({ keeps }) => keeps.map(({ effect }) => effect.share))));
    section(abi.T_KEEP, share);
  }
  const exchange = sites.findIndex(({ event }) => event === abi.EVENT_EXCHANGE);
  if (exchange >= 0) section(abi.T_EXCHANGE, rules.sites[exchange]!);
  return { sites, addresses: rules.sites, directory };
}

function block(bytes: Uint8Array | undefined, writer: TableWriter): number {
  return bytes === undefined ? 0 : writer.block(bytes);
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
