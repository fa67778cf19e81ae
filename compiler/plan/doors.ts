/** Which doors can serve a policy, and why one cannot. */
import type { Door } from '../../proto/door.ts';
import type { Plan } from './plan.ts';

export interface DoorReport {
  readonly door: Door;
  /** Empty: it serves the policy. */
  readonly obstacles: readonly string[];
}

export function doorReport(plan: Pick<Plan, 'events'>, door: Door): DoorReport {
  switch (door) {
    case 'in_envoy':
      return {
        door,
        obstacles: budgetsOf(plan).map((name) => `budget \`${name}\` is not kept inside Envoy yet`),
      };
    case 'ext_proc':
      return { door, obstacles: [] };
  }
}

/** The door of a build that names none. */
export function usualDoor(_plan: Pick<Plan, 'events'>): Door {
  return 'ext_proc';
}

function budgetsOf({ events }: Pick<Plan, 'events'>): string[] {
  return events.flatMap((event) => (event.kind === 'prompt' ? event.budgets.map(({ name }) => name) : []));
}
