/**
 * Receipts: what a retrieval hands out is signed for, and a prompt that carries the receipt inherits the class.
 *
 * A plan has them where it has the fact `prompt.receipts`: the highest class of the receipts that a prompt carries,
 * unknown where it carries none, failed where one of them is not to be believed (forged, too old, another caller's). Every
 * retrieval then answers with a receipt of the highest class of the chunks that it hands out: of each chunk the highest of
 * the facts of its store that are classes. Where one of those has failed or is unknown, it is the highest class there is; a
 * store without such facts has chunks of the base class.
 */
import type { FactId, Plan, Store } from './plan.ts';

export const RECEIPTS_PATH = 'prompt.receipts';

export function givesReceipts({ facts }: Pick<Plan, 'facts'>): boolean {
  return facts.some(({ path }) => path.join('.') === RECEIPTS_PATH);
}

/** The facts of a store's chunks that say their class; none where the policy gives no receipts. */
export function classFacts(plan: Plan, store: Store): readonly FactId[] {
  if (!givesReceipts(plan)) return [];
  return store.facts.filter((id) => {
    const { type } = plan.facts[id]!;
    return type.kind === 'enum' && type.enum === plan.classification?.enum;
  });
}
