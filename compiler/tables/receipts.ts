/** T_RECEIPTS: what a filter needs to sign and to read receipts. Layout: filters/kernel/receipts/layout.ts. */
import * as R from '../../filters/kernel/receipts/layout.ts';
import type { Plan } from '../plan/plan.ts';
import { classFacts, givesReceipts } from '../plan/receipts.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import type { TableWriter } from './table-writer.ts';

/** 0 where the policy gives none. */
export function writeReceipts(plan: Plan, writer: TableWriter): number {
  const { classification } = plan;
  if (classification === undefined || !givesReceipts(plan)) return 0;
  const stores = writer.reserve(plan.stores.length * 8);
  plan.stores.forEach((store, at) => {
    const facts = classFacts(plan, store);
    const list = writer.reserve(facts.length * 4);
    facts.forEach((fact, i) => writer.u32(list + i * 4, fact));
    writer.list(stores + at * 8, list, facts.length);
  });
  const prefix = lengthPrefixed(['writ receipt 1', plan.policy]);
  const which = plan.enums.findIndex(({ name }) => name === classification.enum);
  const receipts = writer.reserve(R.RECEIPTS_BYTES);
  writer.list(receipts + R.RECEIPTS_PREFIX, writer.block(prefix), prefix.length);
  writer.u32(receipts + R.RECEIPTS_ENUM, which);
  writer.u32(receipts + R.RECEIPTS_BASE, plan.enums[which]?.members.indexOf(classification.base) ?? 0);
  writer.list(receipts + R.RECEIPTS_STORES, stores, plan.stores.length);
  return receipts;
}
