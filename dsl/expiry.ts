/**
 * What ends soon, has ended, or is not yet: read on a given day, because a policy's files do not change when its waivers run out.
 * The checker knows no clock; whoever has one asks here.
 */
import { type Diagnostic, diagnostic, help } from './diagnostic.ts';
import type { Program } from './program.ts';
import type { Span } from './source.ts';
import { instantIn, nextDay, TimeZone } from './time-zone.ts';

const DAY = 86_400_000;
/** How long before its end a waiver's owner hears of it. */
const NOTICE_DAYS = 14;

/** `now` in milliseconds since 1970 UTC. By place. */
export function expiryDiagnostics(
  { policy, waivers, rules, conversions }: Program,
  now: number,
): readonly Diagnostic[] {
  const zone = new TimeZone(policy.timeZone);
  const ofWaivers = waivers.flatMap(({ name, until, owner, span }) => {
    const days = daysLeft(zone, until, now);
    if (days > NOTICE_DAYS) return [];
    return days <= 0
      ? [ended(`the waiver \`${name}\``, until, 'it lifts nothing any more', span)]
      : [
          diagnostic('W0405', span, `the waiver \`${name}\` ends with ${until}, ${inDays(days)}`, {
            help: [help(`ask its owner, ${owner}, whether it is still needed`)],
          }),
        ];
  });
  const ofRules = rules.flatMap(({ name, meta, span }) =>
    meta.until !== null && daysLeft(zone, meta.until, now) <= 0
      ? [ended(`the rule \`${name}\``, meta.until, 'it does nothing any more', span)]
      : [],
  );
  const ofRates = conversions.flatMap(({ from, to, date, span }) =>
    instantIn(zone, date) > now
      ? [
          diagnostic('W0407', span, `the rate from \`${from}\` to \`${to}\` is of ${date}, and counts already`, {
            help: [help('declare it in a revision of that day')],
          }),
        ]
      : [],
  );
  return [...ofWaivers, ...ofRules, ...ofRates].sort((a, b) =>
    a.span.file < b.span.file ? -1 : a.span.start - b.span.start,
  );
}

/** Days until the end of a day, begun ones counted; none where it is over. */
function daysLeft(zone: TimeZone, until: string, now: number): number {
  return Math.ceil((instantIn(zone, nextDay(until)) - now) / DAY);
}

function inDays(days: number): string {
  return days === 1 ? 'today' : days === 2 ? 'tomorrow' : `in ${days - 1} days`;
}

function ended(what: string, until: string, then: string, span: Span): Diagnostic {
  return diagnostic('W0406', span, `${what} ended with ${until}: ${then}`, {
    help: [help('take it out, or give it a later date')],
  });
}
