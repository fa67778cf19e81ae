/**
 * Time zones: between instants (milliseconds since 1970 UTC) and what the clocks of a zone show, whatever they do in
 * between. It reads no clock. The rules of the zones are those of the tz database that Node brings along.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Clocks that change and change back do so further apart than this: Ramadan, for one, is kept out of summer time. */
const STEP = 14 * DAY;

/** From `from` on, clocks show `offset` milliseconds more than UTC. */
export interface ZoneOffset {
  readonly from: number;
  readonly offset: number;
}

/** A zone of the tz database, such as `Europe/Berlin`. Local time is written as the UTC instant that reads the same. */
export class TimeZone {
  readonly #name: string;
  #format: Intl.DateTimeFormat | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Throws RangeError for a zone that does not exist, as all that follows does. */
  local(instant: number): number {
    // Made when it is needed: it takes longer than checking a small policy, and most of them write no time.
    this.#format ??= formatIn(this.#name);
    const whole = Math.floor(instant / 1_000) * 1_000;
    const parts: { [type: string]: number } = {};
    for (const { type, value } of this.#format.formatToParts(whole)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) + (instant - whole);
  }

  offset(instant: number): number {
    return this.local(instant) - instant;
  }

  /** The first instant of a local time; where the clocks skip it, the instant of the jump. */
  instantOf(local: number): number {
    const before = this.offset(local - DAY);
    const after = this.offset(local + DAY);
    for (const offset of before > after ? [before, after] : [after, before]) {
      // A larger offset is the earlier instant: where the time comes twice, the first counts.
      if (this.offset(local - offset) === offset) return local - offset;
    }
    return this.jump(local - Math.max(before, after) - HOUR, local - Math.min(before, after) + HOUR);
  }

  /** The instant between two at which the offset becomes that of the later one. */
  jump(from: number, to: number): number {
    const goal = this.offset(to);
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === goal) high = middle;
      else low = middle;
    }
    return high;
  }

  /** The offset at `from`, then every change before `to`, ascending. */
  offsets(from: number, to: number): readonly ZoneOffset[] {
    const found: ZoneOffset[] = [{ from, offset: this.offset(from) }];
    for (let start = from; start < to; start += STEP) {
      const end = Math.min(start + STEP, to);
      const offset = this.offset(end);
      if (offset === found.at(-1)!.offset) continue;
      const change = this.jump(start, end);
      if (change < to) found.push({ from: change, offset });
    }
    return found;
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
}

/**
 * The instant of `2026-12-31` (its 00:00) or `2026-12-31T09:00` in a zone; NaN where it is neither. A local time that
 * comes twice is its first, one that the clocks skip is the jump.
 */
export function instantIn(zone: TimeZone, iso: string): number {
  const local = Date.parse(iso.includes('T') ? `${iso}:00Z` : `${iso}T00:00:00Z`);
  return zone.instantOf(local);
}

/** `2026-12-31` → `2027-01-01`. */
export function nextDay(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + DAY).toISOString().slice(0, 10);
}

/** An instant as a policy writes it in a zone: `2026-12-31` at 00:00, else `2026-12-31 09:00`, with what is finer. */
export function writtenIn(zone: TimeZone, instant: number): string {
  const [date = '', time = ''] = new Date(zone.local(instant)).toISOString().slice(0, -1).split('T');
  const shown = time.replace(/\.000$/, '').replace(/:00$/, '');
  return shown === '00:00' ? date : `${date} ${shown}`;
}

/** The ISO date of a number of days since 1970-01-01. */
export function dateOfDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** Days since 1970-01-01 of an ISO date. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY;
}
