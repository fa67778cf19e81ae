/**
 * Hours and their zones, as the plan holds them: spans of a week, and what the clocks of each zone show from when on.
 * The tz database is read here and nowhere later, so that a bundle means the same wherever it runs.
 */
import type { Hours as SourceHours, Program } from '../../dsl/program.ts';
import { TimeZone } from '../../dsl/time-zone.ts';
import { WEEKDAYS } from '../../dsl/units.ts';
import { MINUTES_OF_DAY } from '../plan/hours.ts';
import type { Hours, Zone } from '../plan/calendar.ts';

/** Clocks are known between these; outside, what they showed at the nearer end holds. */
const FIRST = Date.UTC(2000, 0, 1);
const LAST = Date.UTC(2100, 0, 1);

export interface LoweredHours {
  readonly zones: readonly Zone[];
  readonly hours: readonly Hours[];
}

/** The days off of hours are a list's, and no part of them here: see feeds.ts. */
export function lowerHours(program: Program): LoweredHours {
  const names = [...new Set(program.hours.map(({ timeZone }) => timeZone))].sort();
  return {
    zones: names.map(zoneNamed),
    hours: program.hours.map((hours) => ({
      name: hours.name,
      zone: names.indexOf(hours.timeZone),
      spans: spansOf(hours),
    })),
  };
}

/** A century of a zone takes a hundred milliseconds to ask for, and is the same for every policy. */
const zonesAsked = new Map<string, Zone>();

function zoneNamed(name: string): Zone {
  const known = zonesAsked.get(name);
  if (known !== undefined) return known;
  const offsets = new TimeZone(name).offsets(FIRST, LAST);
  const zone = { name, offsets: offsets.map(({ from, offset }) => ({ from, minutes: Math.round(offset / 60_000) })) };
  zonesAsked.set(name, zone);
  return zone;
}

/** Spans that touch or overlap are one. */
function spansOf(hours: SourceHours): Hours['spans'] {
  const daily = hours.ranges.flatMap(({ from, to, startMinute, endMinute }) =>
    WEEKDAYS.slice(WEEKDAYS.indexOf(from), WEEKDAYS.indexOf(to) + 1).map((day) => ({
      start: WEEKDAYS.indexOf(day) * MINUTES_OF_DAY + startMinute,
      end: WEEKDAYS.indexOf(day) * MINUTES_OF_DAY + endMinute,
    })),
  );
  const joined: { start: number; end: number }[] = [];
  for (const span of daily.sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last !== undefined && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else joined.push({ ...span });
  }
  return joined;
}
