/** Days of the calendar, written as `2026-12-31` (RFC 3339 full-date). */

export const DATE_BYTES: u32 = 10;
export const NO_DAY: i64 = i64.MIN_VALUE;

/** The days since 1970-01-01 of the date in these ten bytes; NO_DAY where they are none. */
export function dayOf(text: usize): i64 {
  const year = digits(text, 4);
  const month = digits(text + 5, 2);
  const day = digits(text + 8, 2);
  if (year < 0 || month < 1 || month > 12 || load<u8>(text, 4) != 0x2d || load<u8>(text, 7) != 0x2d) return NO_DAY;
  if (day < 1 || day > daysOf(year, month)) return NO_DAY;
  // A year is counted from March, so that its leap day is its last. No year is negative: four hundred years more are as
  // many days each time.
  const years = year + 400 - (month <= 2 ? 1 : 0);
  const leapDays = years / 4 - years / 100 + years / 400;
  return <i64>(365 * years + leapDays + (153 * ((month + 9) % 12) + 2) / 5 + day - 865_566);
}

/** The number that `count` digits write; -1 where one is none. */
function digits(text: usize, count: u32): i32 {
  let number: i32 = 0;
  for (let at: u32 = 0; at < count; at += 1) {
    const digit = <u32>load<u8>(text + at) - 0x30;
    if (digit > 9) return -1;
    number = number * 10 + <i32>digit;
  }
  return number;
}

function daysOf(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
