/**
 * What an exchange cost, recomputed from the upstream's own usage and the policy's prices, in exact micro-units of the
 * policy's currency: the demo does not take the gateway's word.
 */
import { moneyText } from '../../cli/money-text.ts';
import type { Recorded } from './recorder.ts';
import { usageOf, type Usage } from './read-chat.ts';

/** Micro-units per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

export function costMicros({ input, output }: Usage, price: Price): bigint {
  const million = 1_000_000n;
  const sum = BigInt(input) * BigInt(price.input) + BigInt(output) * BigInt(price.output);
  return (sum + million - 1n) / million;
}

/**
 * Of everything that an upstream answered. Throws when a reply does not say what was used: the sum would be too low.
 */
export function spentMicros(exchanges: readonly Recorded[], price: Price): bigint {
  return exchanges
    .filter((exchange) => exchange.status === 200)
    .map((exchange) => {
      const usage = usageOf(exchange.reply.toString());
      if (usage === undefined) throw new Error('a reply of the upstream names no usage');
      return costMicros(usage, price);
    })
    .reduce((sum, cost) => sum + cost, 0n);
}

/** E.g. `0.019465 usd`. */
export function usd(micros: bigint): string {
  return `${moneyText(micros)} usd`;
}
