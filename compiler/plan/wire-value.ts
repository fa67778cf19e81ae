/** A value of a field on a provider's wire, and the one order of such values. */
import { compareText } from './order.ts';

/** A number is finite, and written as JavaScript writes it. */
export type WireValue = boolean | number | string;

/** `false`, `true`, numbers, texts: OPA's order of values of several types. */
export function compareWireValues(left: WireValue, right: WireValue): number {
  const [a, b] = [left, right].map((value) => WIRE_TYPES.indexOf(typeof value));
  if (a !== b) return a! - b!;
  return typeof left === 'string' ? compareText(left, String(right)) : Number(left) - Number(right);
}

const WIRE_TYPES: readonly string[] = ['boolean', 'number', 'string'];
