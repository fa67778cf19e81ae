/** Which doors can serve a policy, and why one cannot. */
import { type Door, DOORS } from '../../proto/door.ts';
import type { Plan } from './plan.ts';

export interface DoorReport {
  readonly door: Door;
  /** Empty: it serves the policy. */
  readonly obstacles: readonly string[];
}

/** What one call to the sidecar has room for: two lines a budget (proto/writ/v1/filter_budgets.proto). */
export const IN_ENVOY_BUDGETS_MAX = 256;
/** Addresses of stores that the filter's configuration takes (filters/kernel/proxy-wasm/configuration.ts). */
export const IN_ENVOY_STORES_MAX = 64;

export function doorReport({ events, stores }: Pick<Plan, 'events' | 'stores'>, door: Door): DoorReport {
  switch (door) {
    case 'in_envoy': {
      const budgets = events.flatMap((event) => (event.kind === 'prompt' ? event.budgets : [])).length;
      return {
        door,
        obstacles: [
          ...(budgets > IN_ENVOY_BUDGETS_MAX ? [`it has ${budgets} budgets, more than ${IN_ENVOY_BUDGETS_MAX}`] : []),
          ...(stores.length > IN_ENVOY_STORES_MAX
            ? [`it has ${stores.length} stores, more than ${IN_ENVOY_STORES_MAX}`]
            : []),
        ],
      };
    }
    case 'ext_proc':
      return { door, obstacles: [] };
  }
}

export interface ChosenDoor {
  readonly door: Door;
  /** Doors that would have been better, and why they cannot serve it. */
  readonly passedOver: readonly DoorReport[];
}

/** The door of a build that names none: the first of `DOORS`, fastest first, that can serve the policy. */
export function usualDoor(plan: Pick<Plan, 'events' | 'stores'>): ChosenDoor {
  const reports = DOORS.map((door) => doorReport(plan, door));
  const at = reports.findIndex(({ obstacles }) => obstacles.length === 0);
  const chosen = reports[at];
  if (chosen === undefined) throw new Error('no door can serve the policy, and the last one serves every policy');
  return { door: chosen.door, passedOver: reports.slice(0, at) };
}
