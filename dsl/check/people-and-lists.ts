/** Lists, recipients, reviewers and hours: what the world outside is called. */
import { diagnostic, help } from '../diagnostic.ts';
import type { Hours, List, Recipient, Reviewers, Weekday } from '../program.ts';
import { minuteOfDay, WEEKDAYS } from '../units.ts';
import type { HoursRange, Name } from '../syntax-tree.ts';
import { byName, type Context, report, resolve, unknownName } from './context.ts';
import { checkTimeZone } from './policy.ts';
import { checkType, isScalar } from './types.ts';
import { checkCount, checkPositive } from './values.ts';

export const LIST_ENTRIES = 10_000;
export const LIST_ENTRIES_MAX = 1_000_000;
const CHANNELS = ['webhook'] as const;

export function checkLists(context: Context): List[] {
  return byName(
    [...context.named.list.values()].flatMap((node) => {
      const element = checkType(context, node.element);
      const maxAgeMilliseconds = checkPositive(context, node.maxAge, 'duration', null);
      const maxEntries =
        node.maxEntries === null
          ? LIST_ENTRIES
          : checkCount(context, node.maxEntries, 1, LIST_ENTRIES_MAX, 'the number of entries');
      if (element === null) return [];
      if (!isScalar(element)) {
        report(context, diagnostic('E0318', node.element.span, 'a list holds single values, not sets'));
        return [];
      }
      context.typed.lists.set(node.name.text, element);
      if (maxAgeMilliseconds === null || maxEntries === null) return [];
      return [
        { name: node.name.text, element, feed: node.feed.value, maxAgeMilliseconds, maxEntries, span: node.span },
      ];
    }),
  );
}

export function checkRecipients(context: Context): Recipient[] {
  return byName(
    [...context.named.recipient.values()].flatMap((node) => {
      const channel = CHANNELS.find((each) => each === node.channel.text);
      if (channel === undefined) report(context, { ...unknownName('channel', node.channel, CHANNELS), code: 'E0528' });
      return channel === undefined
        ? []
        : [{ name: node.name.text, channel, address: node.address.value, span: node.span }];
    }),
  );
}

export function checkReviewers(context: Context): Reviewers[] {
  return byName(
    [...context.named.reviewers.values()].map((node) => ({
      name: node.name.text,
      group: node.group.value,
      span: node.span,
    })),
  );
}

export function checkHours(context: Context): Hours[] {
  return byName(
    [...context.named.hours.values()].flatMap((node) => {
      const ranges = node.ranges.map((range) => checkRange(context, range));
      if (node.except !== null) {
        const list = resolve(context, 'list', node.except);
        if (list !== null && context.typed.lists.get(node.except.text)?.kind !== 'date') {
          report(
            context,
            diagnostic('E0316', node.except.span, `\`${node.except.text}\` is not a list of dates`, {
              labels: [{ span: list.name.span, message: 'declared here' }],
            }),
          );
        }
      }
      if (node.zone !== null) checkTimeZone(context, node.zone.value, node.zone.span);
      const whole = ranges.filter((range) => range !== null);
      if (whole.length < ranges.length) return [];
      return [
        {
          name: node.name.text,
          ranges: whole,
          except: node.except?.text ?? null,
          timeZone: node.zone?.value ?? context.typed.policy?.timeZone ?? 'UTC',
          span: node.span,
        },
      ];
    }),
  );
}

function checkRange(context: Context, range: HoursRange): Hours['ranges'][number] | null {
  const from = weekday(context, range.from);
  const to = range.to === null ? from : weekday(context, range.to);
  const startMinute = minuteOfDay(range.start.text);
  const endMinute = minuteOfDay(range.end.text);
  for (const [minute, node] of [
    [startMinute, range.start],
    [endMinute, range.end],
  ] as const) {
    if (minute === null) report(context, diagnostic('E0312', node.span, `\`${node.text}\` is not a time of day`));
  }
  if (from === null || to === null || startMinute === null || endMinute === null) return null;
  if (startMinute >= endMinute) {
    report(
      context,
      diagnostic('E0526', range.span, `these hours end before they start`, {
        help: [
          help(
            'write the hours after midnight as a range of their own: `friday 22:00 to 24:00, saturday 00:00 to 06:00`',
          ),
        ],
      }),
    );
  }
  if (WEEKDAYS.indexOf(from) > WEEKDAYS.indexOf(to)) {
    report(
      context,
      diagnostic('E0526', range.span, `a range of days runs within one week, from monday to sunday`, {
        help: [help('write two ranges, such as `saturday to sunday … , monday …`')],
      }),
    );
  }
  return { from, to, startMinute, endMinute };
}

function weekday(context: Context, name: Name): Weekday | null {
  const found = WEEKDAYS.find((each) => each === name.text);
  if (found === undefined) report(context, unknownName('day', name, WEEKDAYS));
  return found ?? null;
}
