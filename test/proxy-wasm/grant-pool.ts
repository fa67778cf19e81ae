// A sidecar of a test's own beside the filter inside Envoy: it grants one budget of one pool by the rules of
// `filter_budgets.proto`; and the policy and the upstream's answers that go with it.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import { SyncReplySchema, SyncRequestSchema } from '../../proto/gen/writ/v1/filter_budgets_pb.ts';
import type { GrpcCall } from './envoy-host.ts';

/** Micro-units, and those of a token. */
export const LIMIT = 200_000;
const INPUT_PRICE = 10;
const OUTPUT_PRICE = 100;
export const OUTPUT_TOKENS = 40;
export const PROMPT_TOKENS = 20;
export const LEASE_MS = 60_000;

export const BUDGET_SOURCE = `
model m "m" { provider: openai input_price: ${INPUT_PRICE} usd per 1M tokens output_price: ${OUTPUT_PRICE} usd per 1M tokens context: 4_096 tokens max_output: ${OUTPUT_TOKENS} tokens }
budget day limit ${LIMIT / 1_000_000} usd per day in "UTC" else deny "The budget is used up"
`;

/** What a reply of so many tokens costs. */
export const costOf = (tokens: number): number => PROMPT_TOKENS * INPUT_PRICE + tokens * OUTPUT_PRICE;

/** Grants by the rules of the proto: grants of a pool, told as totals. */
export class Pool {
  readonly grants = new Map<bigint, { granted: number; spent: number; isOver: boolean }>();
  readonly share: number;
  calls = 0;
  /** The sidecar stops: nothing is granted any more, and what is held is to be closed. */
  isRetired = false;
  /** Only what it has granted says something of the budget: it has no lease else. */
  knowsWhatIsHeld = false;

  constructor(share: number) {
    this.share = share;
  }

  get given(): number {
    return [...this.grants.values()].reduce((sum, { granted, spent, isOver }) => sum + (isOver ? spent : granted), 0);
  }

  answer({ message }: Pick<GrpcCall, 'message'>): Uint8Array {
    this.calls++;
    const { lines, envoy } = fromBinary(SyncRequestSchema, message);
    expect(envoy).not.toBe(0n);
    return toBinary(
      SyncReplySchema,
      create(SyncReplySchema, {
        grants: lines.map(({ budget, grant, spentMicros, wantedMicros, close }) => {
          const held = this.grants.get(grant) ?? { granted: 0, spent: 0, isOver: false };
          this.grants.set(grant, held);
          if (!held.isOver) held.spent = Math.max(held.spent, Number(spentMicros));
          expect(held.spent).toBeLessThanOrEqual(held.granted);
          if (close) held.isOver = true;
          const wanted = Number(wantedMicros);
          const left = LIMIT - this.given;
          if (!this.isRetired && !held.isOver && wanted > held.granted)
            held.granted += Math.min(left, Math.max(wanted - held.granted, this.share));
          return {
            budget,
            grant,
            over: held.isOver,
            grantedMicros: BigInt(held.granted),
            leftMs: BigInt(this.isRetired ? 0 : LEASE_MS),
            known: !this.isRetired && (!this.knowsWhatIsHeld || (!held.isOver && held.granted > 0)),
            limitMicros: BigInt(LIMIT),
            beyondMicros: BigInt(LIMIT - this.given),
            spentMicros: BigInt(held.spent),
          };
        }),
      }),
    );
  }
}

/** A reply of so many tokens. */
export function usage(tokens: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: PROMPT_TOKENS, completion_tokens: tokens, total_tokens: PROMPT_TOKENS + tokens },
    }),
  );
}
