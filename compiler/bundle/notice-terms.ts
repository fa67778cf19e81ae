// What a bundle says of who is told when a rule fires: read from the plan of a verified bundle, at the boundary. The
// sidecar counts these rules and no others; the control plane tells their recipients.
import { BundleError } from './bundle-error.ts';
import { BUNDLE_PATHS } from './bundle-paths.ts';
import { parseJson } from './canonical-json.ts';
import { members } from './jws.ts';
import { listOf, textOf } from './plan-values.ts';

export interface NoticeRecipient {
  readonly recipient: string;
  /** The name of their webhook, which the control plane's operator gives an address. */
  readonly webhook: string;
}

/** By the rule's name as decisions have it (`waiver NAME` for a waiver): who is told, each once, by name. */
export type RuleNotices = ReadonlyMap<string, readonly NoticeRecipient[]>;

const WAIVER = 'waiver ';

/** The waiver's own name; undefined for another rule. */
export function waiverNamed(rule: string): string | undefined {
  return rule.startsWith(WAIVER) ? rule.slice(WAIVER.length) : undefined;
}

/** Those of a bundle's files. Throws BundleError `bad_notice_terms`. */
export function ruleNoticesOf(files: ReadonlyMap<string, Uint8Array>): RuleNotices {
  const plan = files.get(BUNDLE_PATHS.plan);
  const told = new Map<string, Map<string, NoticeRecipient>>();
  if (plan === undefined) return new Map();
  for (const event of listOf(members(parseJson(plan))['events'], malformed))
    for (const node of listOf(members(event)['rules'], malformed)) {
      const { name, notify } = members(node);
      for (const each of listOf(notify, malformed).map(noticeRecipient)) {
        const rule = textOf(name, malformed);
        told.set(rule, (told.get(rule) ?? new Map<string, NoticeRecipient>()).set(each.recipient, each));
      }
    }
  return new Map(
    [...told].map(([name, recipients]) => [
      name,
      [...recipients.values()].sort((a, b) => (a.recipient < b.recipient ? -1 : 1)),
    ]),
  );
}

/** One of a plan's `notify`. Throws BundleError `bad_notice_terms`. */
export function noticeRecipient(value: unknown): NoticeRecipient {
  const { recipient, webhook } = members(value);
  return { recipient: textOf(recipient, malformed), webhook: textOf(webhook, malformed) };
}

function malformed(): BundleError {
  return new BundleError('bad_notice_terms', "who is told of the bundle's rules cannot be read");
}
