/** `--today`: on which day a policy is looked at, so that what it says of things that end can be known beforehand. */
import { isDate } from '../dsl/units.ts';
import { CommandError } from './command.ts';

export const todayOption = { today: { type: 'string' } } as const;

/** One line of a command's help, without what stands before it. */
export const TODAY_HELP = 'warn of waivers and rules that end as if it were that day, YYYY-MM-DD';

/** Milliseconds since 1970 UTC: the clock, or noon of the day that is asked for. Throws CommandError. */
export function todayFrom(text: string | undefined): number {
  if (text === undefined) return Date.now();
  if (isDate(text)) return Date.parse(`${text}T12:00:00Z`);
  throw new CommandError(`\`${text}\` is no day of the calendar`, 'write it as `--today 2026-12-31`');
}
