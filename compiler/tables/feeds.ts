/**
 * T_FEEDS: which lists and switches the policy reads, and the facts that they answer. Layout:
 * filters/kernel/feeds/layout.ts.
 */
import * as layout from '../../filters/kernel/feeds/layout.ts';
import type { Fact, FactValue, ListOperand, Plan } from '../plan/plan.ts';
import type { TableWriter } from './table-writer.ts';

/** 0 where the policy has none. */
export function writeFeeds(plan: Plan, writer: TableWriter): number {
  const asks = plan.facts.filter(({ source }) => source.kind === 'list' || source.kind === 'switch');
  if (asks.length === 0) return 0;
  const count = plan.lists.length + plan.switches.length;
  const uses = writer.reserve(count * layout.USE_BYTES);
  plan.lists.forEach(({ feed, element, maxAgeMs, most }, at) => {
    const use = uses + at * layout.USE_BYTES;
    writer.u32(use + layout.USE_KIND, layout.FEED_LIST);
    writer.text(use + layout.USE_NAME, feed);
    writer.text(use + layout.USE_ELEMENT, element);
    writer.u64(use + layout.USE_MAX_AGE, BigInt(maxAgeMs));
    writer.u32(use + layout.USE_MOST, most);
  });
  plan.switches.forEach(({ name }, at) => {
    const use = uses + (plan.lists.length + at) * layout.USE_BYTES;
    writer.u32(use + layout.USE_KIND, layout.FEED_SWITCH);
    writer.text(use + layout.USE_NAME, name);
  });
  const records = writer.reserve(asks.length * layout.ASK_BYTES);
  asks.forEach((fact, at) => writeAsk(plan, fact, records + at * layout.ASK_BYTES, writer));
  const table = writer.reserve(layout.FEEDS_BYTES);
  writer.list(table + layout.FEEDS_USES, uses, count);
  writer.list(table + layout.FEEDS_FACTS, records, asks.length);
  return table;
}

function writeAsk(plan: Plan, { id, source }: Fact, ask: number, writer: TableWriter): void {
  writer.u32(ask + layout.ASK_FACT, id);
  writer.u32(ask + layout.ASK_STORE, layout.NO_STORE >>> 0);
  if (source.kind === 'switch') {
    writer.u32(ask + layout.ASK_USE, plan.lists.length + source.switch);
    writer.u32(ask + layout.ASK_OF, layout.OF_SWITCH);
  } else if (source.kind === 'list') {
    writer.u32(ask + layout.ASK_USE, source.list);
    writeOperand(plan, source.of, ask, writer);
  }
}

function writeOperand(plan: Plan, of: ListOperand, ask: number, writer: TableWriter): void {
  writer.u32(ask + layout.ASK_OF, { fact: layout.OF_FACT, value: layout.OF_VALUE, day: layout.OF_DAY }[of.kind]);
  if (of.kind === 'value') return writer.text(ask + layout.ASK_VALUE, hashedText(of.value));
  const operand = plan.facts[of.fact]!.source;
  writer.u32(ask + layout.ASK_OPERAND, of.fact);
  if (operand.kind === 'metadata')
    writer.u32(
      ask + layout.ASK_STORE,
      plan.stores.findIndex(({ name }) => name === operand.store),
    );
  if (of.kind !== 'day') return;
  const { offsets } = plan.zones[of.zone]!;
  writer.list(
    ask + layout.ASK_OFFSETS,
    writer.longs(offsets.flatMap(({ from, minutes }) => [from, minutes])),
    offsets.length,
  );
}

/** As entries are hashed: compiler/bundle/feed-entries.ts. */
function hashedText(value: FactValue): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
