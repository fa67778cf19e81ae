/** Who counts as a caller, and where what rules read of callers comes from. */
import type { Identity } from '../deployment/deployment.ts';
import type { Fact, Plan } from '../plan/plan.ts';
import { quantity } from './describe.ts';

export interface CallerReport {
  /** How a caller may show who they are; null: the bundle was built without a deployment. */
  readonly ways: readonly string[] | null;
  readonly attributes: readonly { readonly name: string; readonly claim: string; readonly absent: string }[];
}

export function callerReport(plan: Plan, identity: Identity | null): CallerReport {
  return {
    ways: identity === null ? null : waysOf(identity),
    attributes: plan.facts.flatMap((fact) =>
      fact.source.kind === 'claim'
        ? [{ name: fact.path.join('.'), claim: fact.source.claim, absent: absentText(fact, plan) }]
        : [],
    ),
  };
}

/** Keys are counted and not told: their hashes say nothing to a reader. */
function waysOf({ jwt, apiKeys, sans }: Identity): string[] {
  return [
    ...jwt.map(({ issuer, audiences, jwks }) => {
      const audience = audiences.length === 0 ? 'for any audience' : `for the audience ${audiences.join(' or ')}`;
      const keys = jwks.kind === 'file' ? `the keys in ${jwks.path}` : 'keys that stand in the deployment';
      return `a token (JWT) of ${issuer} ${audience}, signed with one of ${keys}, not expired`;
    }),
    ...(apiKeys.length === 0
      ? []
      : [
          apiKeys.length === 1
            ? 'the one API key whose SHA-256 is in the bundle'
            : `one of the ${apiKeys.length} API keys whose SHA-256 is in the bundle`,
        ]),
    ...sans.map(({ san }) => `a client certificate with the name ${san}`),
  ];
}

function absentText({ absent, type }: Fact, plan: Plan): string {
  if (absent.kind === 'fails') return 'where it is missing, what reads it denies';
  if (absent.kind === 'unknown') return 'may be missing';
  const value = Array.isArray(absent.value)
    ? `{${absent.value.join(', ')}}`
    : typeof absent.value === 'number'
      ? quantity(absent.value, type, plan)
      : String(absent.value);
  return `${value} where it is missing`;
}
