// The windows of budgets: in a time zone, from one local hour, midnight, Monday, first of a month … to the next,
// whatever the clocks do in between. A window is known by the instant at which it starts. It reads no clock.

import { TimeZone } from '../../dsl/time-zone.ts';

export type Period = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

export interface BudgetWindow {
  /** `<period>/<start in UTC>`, e.g. `month/2026-02-28T23:00:00.000Z`. */
  readonly key: string;
  /** Milliseconds since 1970 UTC. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** The `start` of the window with this key. */
export function startOfWindow(key: string): number {
  return Date.parse(key.slice(key.lastIndexOf('/') + 1));
}

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The window that holds an instant (milliseconds since 1970 UTC). Throws RangeError for a zone that does not exist. */
export function windowAt(instant: number, period: Period, timeZone: string): BudgetWindow {
  const zone = new TimeZone(timeZone);
  const [start, end] = spanAround(zone, instant, period);
  return { key: `${period}/${new Date(start).toISOString()}`, start, end };
}

function spanAround(zone: TimeZone, instant: number, period: Period): [start: number, end: number] {
  if (period === 'minute') {
    // Offsets of zones have whole minutes, in all years that this will see.
    const start = Math.floor(instant / MINUTE) * MINUTE;
    return [start, start + MINUTE];
  }
  return period === 'hour' ? hourAround(zone, instant) : datesAround(zone, instant, period);
}

type Dated = Exclude<Period, 'minute' | 'hour'>;

function datesAround(zone: TimeZone, instant: number, period: Dated): [start: number, end: number] {
  const date = firstDate(zone.local(instant), period);
  const start = zone.instantOf(date);
  const end = zone.instantOf(nextDate(date, period));
  // Where the clocks go back over midnight, a date is left and entered twice. Windows follow each other all the same:
  // the first entry counts.
  if (instant < start) return [zone.instantOf(firstDate(date - DAY, period)), start];
  if (instant >= end) return [end, zone.instantOf(nextDate(nextDate(date, period), period))];
  return [start, end];
}

/** The local midnight with which the period around a local time begins. */
function firstDate(local: number, period: Dated): number {
  const date = new Date(local);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  switch (period) {
    case 'day':
      return Date.UTC(year, month, day);
    case 'week':
      // Weeks begin on Monday, as in ISO 8601.
      return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7));
    case 'month':
      return Date.UTC(year, month, 1);
    case 'quarter':
      return Date.UTC(year, month - (month % 3), 1);
    case 'year':
      return Date.UTC(year, 0, 1);
  }
}

function nextDate(first: number, period: Dated): number {
  const date = new Date(first);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  switch (period) {
    case 'day':
      return first + DAY;
    case 'week':
      return first + 7 * DAY;
    case 'month':
      return Date.UTC(year, month + 1, 1);
    case 'quarter':
      return Date.UTC(year, month + 3, 1);
    case 'year':
      return Date.UTC(year + 1, 0, 1);
  }
}

/**
 * A local hour; one in which the clocks change ends or begins at the change. An hour that comes twice is two windows.
 */
function hourAround(zone: TimeZone, instant: number): [start: number, end: number] {
  const offset = zone.offset(instant);
  let start = Math.floor((instant + offset) / HOUR) * HOUR - offset;
  let end = start + HOUR;
  if (zone.offset(start) !== offset) start = zone.jump(start, instant);
  if (zone.offset(end - 1) !== offset) end = zone.jump(instant, end - 1);
  return [start, end];
}
