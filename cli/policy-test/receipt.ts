/**
 * A receipt as a retrieval gives it (filters/kernel/receipts/receipt.ts), for a test's prompt that carries one: of the
 * class that the test says, for its caller, now, by the tests' own key.
 */
import { createHmac } from 'node:crypto';
import { lengthPrefixed } from '../../compiler/tables/length-prefixed.ts';
import type { Program } from '../../dsl/program.ts';
import { DEPLOYMENT_KEY_BYTES, DeploymentKey } from '../../proto/deployment-key.ts';
import type { WireValue } from './given.ts';

/** Tests show no pseudonym's keyed part, so that any key serves; one that is always the same fails the same way twice. */
export const TEST_KEY = DeploymentKey.of(new Uint8Array(DEPLOYMENT_KEY_BYTES))!;

type Claims = { readonly [claim: string]: WireValue };

/** The claims with a subject, to whom receipts are bound: one of ours, where the policy reads none. */
export function withSubject(claims: Claims, { caller }: Program): Claims {
  if (typeof claims['sub'] === 'string') return claims;
  const subject = caller.attributes.find(({ source }) => source?.kind === 'claim' && source.name === 'sub');
  if (subject !== undefined)
    throw new Error(
      `a receipt is bound to who was given it: say who calls, such as \`caller { ${subject.name}: "ann" }\``,
    );
  return { ...claims, sub: 'somebody' };
}

/** The claims have a subject. */
export function receiptFor(claims: Claims, className: string, at: ReceiptContext): string {
  const seconds = Math.floor(at.nowMs / 1_000);
  const [issuer, subject] = [claims['iss'], claims['sub']].map((claim) => (typeof claim === 'string' ? claim : ''));
  // A caller by token: 1, issuer and subject.
  const name = Buffer.concat([Buffer.of(1), lengthPrefixed([issuer!, subject!])]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(name.length);
  const when = Buffer.alloc(8);
  when.writeBigInt64LE(BigInt(seconds));
  const mac = createHmac('sha256', TEST_KEY.reveal())
    .update(lengthPrefixed(['writ receipt 1', at.policy]))
    .update(length)
    .update(name)
    .update(when)
    .update(className)
    .digest('hex')
    .slice(0, 32);
  return `writ1.${seconds.toString(16).padStart(10, '0')}.${className}.${mac}`;
}

export interface ReceiptContext {
  readonly nowMs: number;
  readonly policy: string;
}
