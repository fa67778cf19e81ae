/** Whether an instant falls into hours of the week, as the clocks of their zone show it. */
import type { Plan } from './plan.ts';

const MINUTE = 60_000;
export const MINUTES_OF_DAY = 1_440;
const MINUTES_OF_WEEK = 7 * MINUTES_OF_DAY;
/** From Monday 00:00 to the beginning of 1970, which was a Thursday. */
const EPOCH_MINUTE = 3 * MINUTES_OF_DAY;

/** `time` in milliseconds since 1970 UTC; `at` is the hours' position in the plan. */
export function isInHours(time: number, at: number, { hours, zones }: Pick<Plan, 'hours' | 'zones'>): boolean {
  const { zone, spans } = hours[at]!;
  const { offsets } = zones[zone]!;
  const { minutes } = offsets.findLast(({ from }) => from <= time) ?? offsets[0]!;
  const local = Math.floor(time / MINUTE) + minutes + EPOCH_MINUTE;
  const minute = ((local % MINUTES_OF_WEEK) + MINUTES_OF_WEEK) % MINUTES_OF_WEEK;
  return spans.some(({ start, end }) => start <= minute && minute < end);
}
