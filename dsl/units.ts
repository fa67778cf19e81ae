/**
 * Numbers as written and the units they may carry, all exact: a number is digits and a scale until its unit says which
 * integer it is.
 */
import type { Weekday } from './program.ts';

export const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
/** Micro-units have six digits. */
export const MONEY_SCALE = 6;

/** The number is `digits` / 10^`scale`. */
export type Exact = { readonly digits: bigint; readonly scale: number };
export type Dimension = 'tokens' | 'bytes' | 'duration' | 'percent' | 'requests' | 'turns';

/** `factor` base units make one: milliseconds, bytes, single tokens. Months are 30 days and years 365. */
export const UNITS: ReadonlyMap<string, { readonly dimension: Dimension; readonly factor: bigint }> = new Map(
  (
    [
      ['tokens', 'tokens', 1n],
      ['token', 'tokens', 1n],
      ['bytes', 'bytes', 1n],
      ['byte', 'bytes', 1n],
      ['kb', 'bytes', 1000n],
      ['mb', 'bytes', 1_000_000n],
      ['kib', 'bytes', 1024n],
      ['mib', 'bytes', 1_048_576n],
      ['milliseconds', 'duration', 1n],
      ['millisecond', 'duration', 1n],
      ['seconds', 'duration', 1000n],
      ['second', 'duration', 1000n],
      ['minutes', 'duration', 60_000n],
      ['minute', 'duration', 60_000n],
      ['hours', 'duration', 3_600_000n],
      ['hour', 'duration', 3_600_000n],
      ['days', 'duration', 86_400_000n],
      ['day', 'duration', 86_400_000n],
      ['weeks', 'duration', 604_800_000n],
      ['week', 'duration', 604_800_000n],
      ['months', 'duration', 2_592_000_000n],
      ['month', 'duration', 2_592_000_000n],
      ['years', 'duration', 31_536_000_000n],
      ['year', 'duration', 31_536_000_000n],
      ['percent', 'percent', 1n],
      ['requests', 'requests', 1n],
      ['request', 'requests', 1n],
      ['turns', 'turns', 1n],
      ['turn', 'turns', 1n],
    ] as const
  ).map(([name, dimension, factor]) => [name, { dimension, factor }]),
);

/** A currency is any three lower-case letters that are no other unit. */
export function isCurrency(unit: string): boolean {
  return /^[a-z]{3}$/.test(unit) && !UNITS.has(unit);
}

/** `1_000`, `2.50`, `1M`; null where underscores do not stand between digits. */
export function exactNumber(text: string): Exact | null {
  const match = /^(-?)(\d+(?:_\d+)*)(?:\.(\d+(?:_\d+)*))?([kM]?)$/.exec(text);
  if (match === null) return null;
  const fraction = (match[3] ?? '').replaceAll('_', '');
  const digits = BigInt(`${match[1] ?? ''}${(match[2] ?? '').replaceAll('_', '')}${fraction}`);
  const factor = match[4] === 'k' ? 1000n : match[4] === 'M' ? 1_000_000n : 1n;
  return { digits: digits * factor, scale: fraction.length };
}

export type Scaled =
  { readonly kind: 'integer'; readonly value: number } | { readonly kind: 'inexact' } | { readonly kind: 'tooLarge' };

/** The integer n with number × `factor` = n / 10^`scale`. */
export function atScale(number: Exact, scale: number, factor: bigint = 1n): Scaled {
  const numerator = number.digits * factor * 10n ** BigInt(scale);
  const denominator = 10n ** BigInt(number.scale);
  if (numerator % denominator !== 0n) return { kind: 'inexact' };
  const value = numerator / denominator;
  if (value > BigInt(INTEGER_MAX) || value < -BigInt(INTEGER_MAX)) return { kind: 'tooLarge' };
  return { kind: 'integer', value: Number(value) };
}

/** A rate of one, in millionths. */
export const RATE_ONE = 1_000_000;

/** `micros` at `rateMillionths`, rounded up; null where that is too large. */
export function convertMicros(micros: number, rateMillionths: number): number | null {
  return integerWithin(ceilQuotient(BigInt(micros) * BigInt(rateMillionths), BigInt(RATE_ONE)));
}

/**
 * What a million tokens cost, where so many cost `micros`, rounded up once: converted first, the price of one token
 * would be rounded up a million times.
 */
export function microsPerMillion(micros: number, perTokens: number, rateMillionths: number): number | null {
  return integerWithin(ceilQuotient(BigInt(micros) * BigInt(rateMillionths), BigInt(perTokens)));
}

/** Above zero only the remainder rounds; below, cutting it off rounds up already. */
function ceilQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend > 0n && dividend % divisor !== 0n ? quotient + 1n : quotient;
}

function integerWithin(value: bigint): number | null {
  return value > BigInt(INTEGER_MAX) || value < -BigInt(INTEGER_MAX) ? null : Number(value);
}

/** A week as people count it here, from its Monday. */
export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const satisfies readonly Weekday[];

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A day of the Gregorian calendar, `2026-12-31`. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

/** `09:30` → 570; 24:00 ends a day; null if there is no such minute. */
export function minuteOfDay(text: string): number | null {
  const [hours, minutes] = text.split(':').map(Number);
  if (hours === undefined || minutes === undefined || minutes > 59) return null;
  const value = hours * 60 + minutes;
  return value <= 24 * 60 ? value : null;
}
