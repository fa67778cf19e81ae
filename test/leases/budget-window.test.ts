// Windows in time zones: they follow each other without a gap, whatever the clocks do.
import { describe, expect, test } from 'vitest';
import { windowAt } from '../../control-plane/budgets/budget-window.ts';
import type { Period } from '../../control-plane/budgets/budget-window.ts';
import { random } from './random.ts';

const HOUR = 3_600_000;
const at = (instant: string): number => Date.parse(instant);

describe('a window', () => {
  test.each<[Period, string, string, string, string, string]>([
    ['day', 'Europe/Berlin', '2026-01-15T12:00:00Z', '2026-01-14T23:00:00Z', '2026-01-15T23:00:00Z', 'an ordinary day'],
    [
      'day',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
      'a day of 23 hours',
    ],
    [
      'day',
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-24T22:00:00Z',
      '2026-10-25T23:00:00Z',
      'a day of 25 hours',
    ],
    [
      'day',
      'Europe/Berlin',
      '2026-01-14T23:00:00Z',
      '2026-01-14T23:00:00Z',
      '2026-01-15T23:00:00Z',
      'its first instant',
    ],
    [
      'day',
      'Europe/Berlin',
      '2026-01-15T22:59:59.999Z',
      '2026-01-14T23:00:00Z',
      '2026-01-15T23:00:00Z',
      'its last instant',
    ],
    [
      'day',
      'America/Sao_Paulo',
      '2018-11-04T12:00:00Z',
      '2018-11-04T03:00:00Z',
      '2018-11-05T02:00:00Z',
      'midnight does not exist',
    ],
    [
      'day',
      'America/Sao_Paulo',
      '2018-02-18T02:30:00Z',
      '2018-02-17T02:00:00Z',
      '2018-02-18T03:00:00Z',
      'the hour before midnight comes twice',
    ],
    [
      'day',
      'America/Havana',
      '2026-11-01T05:30:00Z',
      '2026-11-01T04:00:00Z',
      '2026-11-02T05:00:00Z',
      'midnight comes twice',
    ],
    [
      'day',
      'Pacific/Apia',
      '2011-12-30T11:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
      'a date that was left out',
    ],
    [
      'day',
      'Asia/Kathmandu',
      '2026-01-15T12:00:00Z',
      '2026-01-14T18:15:00Z',
      '2026-01-15T18:15:00Z',
      'an offset of 5:45',
    ],
    [
      'week',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-22T23:00:00Z',
      '2026-03-29T22:00:00Z',
      'weeks begin on Monday',
    ],
    [
      'month',
      'Europe/Berlin',
      '2026-03-15T12:00:00Z',
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
      'a month with a change of clocks',
    ],
    ['month', 'UTC', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z', 'a leap day'],
    ['quarter', 'UTC', '2026-11-15T12:00:00Z', '2026-10-01T00:00:00Z', '2027-01-01T00:00:00Z', 'the last quarter'],
    ['year', 'America/New_York', '2026-07-04T12:00:00Z', '2026-01-01T05:00:00Z', '2027-01-01T05:00:00Z', 'a year'],
    [
      'hour',
      'Europe/Berlin',
      '2026-10-25T00:30:00Z',
      '2026-10-25T00:00:00Z',
      '2026-10-25T01:00:00Z',
      'an hour that comes twice, first',
    ],
    [
      'hour',
      'Europe/Berlin',
      '2026-10-25T01:30:00Z',
      '2026-10-25T01:00:00Z',
      '2026-10-25T02:00:00Z',
      'an hour that comes twice, second',
    ],
    [
      'hour',
      'Australia/Lord_Howe',
      '2026-04-04T15:10:00Z',
      '2026-04-04T15:00:00Z',
      '2026-04-04T15:30:00Z',
      'an hour that a change of half an hour cuts',
    ],
    [
      'hour',
      'Asia/Kathmandu',
      '2026-01-15T12:00:00Z',
      '2026-01-15T11:15:00Z',
      '2026-01-15T12:15:00Z',
      "local hours, not UTC's",
    ],
  ])('of a %s in %s at %s is from %s to %s: %s', (period, zone, instant, start, end) => {
    const window = windowAt(at(instant), period, zone);
    expect([new Date(window.start).toISOString(), new Date(window.end).toISOString()]).toEqual(
      [start, end].map((text) => new Date(text).toISOString()),
    );
    expect(window.key).toBe(`${period}/${new Date(start).toISOString()}`);
  });

  test('is known by its start: an unknown zone throws', () =>
    expect(() => windowAt(0, 'day', 'Europe/Atlantis')).toThrow(RangeError));
});

test('every instant lies in its window, and windows follow each other, in zones with odd clocks', () => {
  const dice = random(4);
  const zones = [
    'Europe/Berlin',
    'America/Sao_Paulo',
    'America/Havana',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Africa/Cairo',
    'Asia/Beirut',
    'Antarctica/Troll',
    'UTC',
  ];
  const periods: readonly Period[] = ['hour', 'day', 'week', 'month', 'quarter', 'year'];
  for (let round = 0; round < 600; round++) {
    const [zone, period] = [dice.pick(zones), dice.pick(periods)];
    const instant = at('2000-01-01T00:00:00Z') + dice.below(30 * 365 * 24) * HOUR + dice.below(HOUR);
    const window = windowAt(instant, period, zone);
    const label = `${period} ${zone} ${new Date(instant).toISOString()}`;
    expect(window.start <= instant && instant < window.end, label).toBe(true);
    expect(windowAt(window.start, period, zone), label).toEqual(window);
    expect(windowAt(window.end - 1, period, zone), label).toEqual(window);
    expect(windowAt(window.end, period, zone).start, label).toBe(window.end);
  }
});
