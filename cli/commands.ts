/** Every command, in the order in which `writ --help` lists them. Adding one is a file in commands/ and a line here. */
import type { Command } from './command.ts';
import { build } from './commands/build.ts';
import { check } from './commands/check.ts';
import { controlPlane } from './commands/control-plane.ts';
import { decide } from './commands/decide.ts';
import { keys } from './commands/keys.ts';
import { push } from './commands/push.ts';
import { rollback } from './commands/rollback.ts';
import { sidecar } from './commands/sidecar.ts';
import { status } from './commands/status.ts';
import { test } from './commands/test.ts';

export const commands: readonly Command[] = [check, build, test, decide, keys, push, rollback, status, controlPlane, sidecar];
