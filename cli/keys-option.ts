/** Where an installation's keys are: the option `--keys`, which commands with and without a connection share. */
import { resolve } from 'node:path';
import { CommandError, type World } from './command.ts';

export const keysOption = { keys: { type: 'string' } } as const;

export interface KeysValues {
  readonly keys?: string | undefined;
}

/** The folder's absolute path. */
export function keysFolder({ keys }: KeysValues, world: World): string {
  const path = keys ?? world.env['WRIT_KEYS'];
  if (path === undefined || path === '')
    throw new CommandError('no keys are given', 'give `--keys DIR` or set WRIT_KEYS; `writ keys init DIR` makes them');
  return resolve(world.cwd, path);
}
