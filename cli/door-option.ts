/** `--door`: how Envoy asks a policy that a command builds, and what is said where the usual door cannot serve it. */
import type { ChosenDoor } from '../compiler/plan/doors.ts';
import { type Door, DOORS, isDoor } from '../proto/door.ts';
import { CommandError } from './command.ts';

export const doorOption = { door: { type: 'string' } } as const;

/** One line of a command's help, without what stands before it. */
export const DOOR_HELP =
  'in_envoy (the filter runs in Envoy) or ext_proc (Envoy asks the sidecar); usual: in_envoy where it can serve the policy';

/** Throws CommandError. */
export function wantedDoor(text: string | undefined): Door | undefined {
  if (text === undefined || isDoor(text)) return text;
  throw new CommandError(`there is no door \`${text}\``, `the doors are ${DOORS.join(' and ')}`);
}

/** Null where nothing stands in the way of the usual door. */
export function passedOverText({ door, passedOver }: ChosenDoor): string | null {
  if (passedOver.length === 0) return null;
  const why = passedOver.map((each) => `${each.door} cannot serve this policy: ${each.obstacles.join('; ')}`);
  return `the door is ${door}, for ${why.join('; ')}`;
}
