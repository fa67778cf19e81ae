/**
 * T_RULES: for each site the names that its result's bits stand for. Layout: filters/kernel/decision/layout.ts. What
 * the rules mean is code (compiler/wasm/).
 */
import { EVENT_COMPLETION, EVENT_PROMPT } from '../../filters/kernel/abi.ts';
import * as layout from '../../filters/kernel/decision/layout.ts';
import type { FactId, Plan } from '../plan/plan.ts';
import { wordsFor, wordsOf } from '../wasm/bits.ts';
import type { Site } from '../wasm/site.ts';
import { enumAt } from './facts.ts';
import type { TableWriter } from './table-writer.ts';

export interface RuleTables {
  readonly rules: number;
  /** Address of each site. */
  readonly sites: readonly number[];
}

export function writeRules(plan: Plan, sites: readonly Site[], writer: TableWriter): RuleTables {
  const addresses = sites.map((site) => writeSite(plan, site, writer));
  const list = writer.reserve(addresses.length * 4);
  addresses.forEach((address, at) => writer.u32(list + at * 4, address));
  const rules = writer.reserve(8);
  writer.list(rules, list, addresses.length);
  return { rules, sites: addresses };
}

function writeSite(plan: Plan, site: Site, writer: TableWriter): number {
  const address = writer.reserve(layout.SITE_BYTES);
  const names = (at: number, texts: readonly string[]) => writer.list(address + at, writer.texts(texts), texts.length);
  const records = <T>(at: number, bytes: number, entries: readonly T[], write: (entry: T, record: number) => void) => {
    const first = writer.reserve(entries.length * bytes);
    entries.forEach((entry, index) => write(entry, first + index * bytes));
    writer.list(address + at, first, entries.length);
  };
  writer.u8(address + layout.SITE_EVENT, site.event);
  if (plan.classification !== undefined && (site.event === EVENT_PROMPT || site.event === EVENT_COMPLETION))
    writer.u16(address + layout.SITE_CLASSIFICATION, enumAt(plan, plan.classification.enum) + 1);
  names(
    layout.SITE_FAILED,
    site.failed.map((fact) => plan.facts[fact]!.path.join('.')),
  );
  names(layout.SITE_NODES, site.nodes);
  const position = new Map(site.failed.map((fact, at) => [fact, at]));
  const masks = new Map<string, number>();
  records(layout.SITE_TOUCHES, layout.TOUCH_BYTES, site.touches, (touch, record) => {
    writer.text(record + layout.TOUCH_NAME, touch.name);
    const key = touch.reads.join(',');
    const mask = masks.get(key) ?? writeMask(touch.reads, position, writer);
    masks.set(key, mask);
    writer.u32(record + layout.TOUCH_READS, mask);
  });
  records(layout.SITE_DENIALS, layout.DENIAL_BYTES, site.denials, ({ node, rule, message }, record) => {
    writer.u32(record + layout.DENIAL_NODE, node);
    writer.text(record + layout.DENIAL_RULE, rule);
    writer.text(record + layout.DENIAL_MESSAGE, message);
  });
  records(layout.SITE_REDACTIONS, layout.REDACTION_BYTES, site.redactions, ({ node, rule, detector }, record) => {
    writer.u32(
      record + layout.REDACTION_DETECTOR,
      plan.detectors.findIndex((each) => each.name === detector),
    );
    writer.u32(record + layout.REDACTION_NODE, node);
    writer.text(record + layout.REDACTION_NAME, detector);
    writer.text(record + layout.REDACTION_RULE, rule);
  });
  records(layout.SITE_TAGS, layout.TAG_BYTES, site.tags, ({ node, name, value, type }, record) => {
    writer.u32(record + layout.TAG_NODE, node);
    writer.text(record + layout.TAG_NAME, name);
    writer.text(record + layout.TAG_VALUE, value);
    writer.text(record + layout.TAG_LITERAL, type === 'text' ? JSON.stringify(value) : value);
  });
  records(layout.SITE_SETS, layout.SET_BYTES, site.sets, ({ node, field, value }, record) => {
    writer.u32(record + layout.SET_NODE, node);
    writer.text(record + layout.SET_FIELD, field);
    writer.text(record + layout.SET_VALUE, JSON.stringify(value));
  });
  records(layout.SITE_HOLDS, layout.HOLD_BYTES, site.holds, ({ node, rule, effect }, record) => {
    writer.u32(record + layout.HOLD_NODE, node);
    writer.text(record + layout.HOLD_RULE, rule);
    writer.text(record + layout.HOLD_REVIEWERS, effect.reviewers);
    writer.text(record + layout.HOLD_GROUP, effect.group);
    writer.u32(record + layout.HOLD_APPROVALS, effect.approvals);
    writer.u64(record + layout.HOLD_MILLISECONDS, BigInt(effect.milliseconds));
  });
  records(layout.SITE_KEEPS, layout.KEEP_BYTES, site.keeps, ({ node, rule, effect }, record) => {
    writer.u32(record + layout.KEEP_NODE, node);
    writer.text(record + layout.KEEP_RULE, rule);
    writer.text(record + layout.KEEP_REVIEWERS, effect.reviewers ?? '');
    writer.text(record + layout.KEEP_GROUP, effect.group ?? '');
    writer.u64(record + layout.KEEP_MILLISECONDS, BigInt(effect.milliseconds ?? 0));
  });
  names(layout.SITE_WITHHELD, site.withheld);
  records(layout.SITE_SAYS, layout.SAY_BYTES, site.says, ({ withheld, rule, sentence }, record) => {
    writer.u32(record + layout.SAY_WITHHELD, withheld);
    writer.text(record + layout.SAY_RULE, rule);
    writer.text(record + layout.SAY_HEADER, headerValue(sentence));
    writer.text(record + layout.SAY_LITERAL, JSON.stringify(sentence));
  });
  names(layout.SITE_REMOVERS, site.removers);
  names(
    layout.SITE_RESERVES,
    site.reserves.map((budget) => budget.name),
  );
  writer.u32(address + layout.SITE_PREFERENCES, (site.layout.reserves - site.layout.preferences) / 8);
  const { failed, fired, touched, withheld, removed, preferences, reserves, redactions } = site.layout;
  writer.u32(address + layout.SITE_AT_FAILED, failed);
  writer.u32(address + layout.SITE_AT_FIRED, fired);
  writer.u32(address + layout.SITE_AT_TOUCHED, touched);
  writer.u32(address + layout.SITE_AT_WITHHELD, withheld);
  writer.u32(address + layout.SITE_AT_REMOVED, removed);
  writer.u32(address + layout.SITE_AT_PREFERENCES, preferences);
  writer.u32(address + layout.SITE_AT_RESERVES, reserves);
  writer.u32(address + layout.SITE_AT_REDACTIONS, redactions);
  return address;
}

/** What is not printable ASCII, and the percent sign, as percent-encoded UTF-8. */
function headerValue(sentence: string): string {
  return Array.from(new TextEncoder().encode(sentence), (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function writeMask(reads: readonly FactId[], position: ReadonlyMap<FactId, number>, writer: TableWriter): number {
  const words = wordsOf(
    reads.map((fact) => position.get(fact)!),
    position.size,
  );
  const address = writer.reserve(wordsFor(position.size) * 8);
  words.forEach((word, at) => writer.u64(address + at * 8, word));
  return address;
}
