/** Money for people: micro-units as a decimal, exactly. E.g. 19465 → `0.019465`. */

export function moneyText(micros: bigint): string {
  const sign = micros < 0n ? '-' : '';
  const size = micros < 0n ? -micros : micros;
  return `${sign}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')}`;
}
