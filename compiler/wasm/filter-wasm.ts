/** `filter.wasm`: the sessions' kernel with the policy, its detectors and its protocols in it. Both doors run it. */
import type { Identity } from '../tables/catalog.ts';
import type { Plan } from '../plan/plan.ts';
import { storeFilters } from '../tables/stores-filter.ts';
import { link } from './link.ts';

/** Envoy's V8 caps a module's memory at 1 GiB; the kernel's allocator stops below (filters/kernel/memory.ts). */
const MEMORY_PAGES_MAX = 16_384;

export interface FilterParts {
  /** The built `session` kernel. */
  readonly kernel: Uint8Array;
  readonly plan: Plan;
  /** Tables of the text engine and of the protocols, without absolute addresses. */
  readonly detectors: Uint8Array;
  readonly protocols: Uint8Array;
  readonly identities?: readonly Identity[];
}

export function filterWasm(parts: FilterParts): Uint8Array {
  return link({
    ...parts,
    storeFilters: storeFilters(parts.plan),
    memory: { kind: 'own', pagesMax: MEMORY_PAGES_MAX },
  });
}
