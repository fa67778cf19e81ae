/** Every command, in the order in which `writ --help` lists them. Adding one is a file in commands/ and a line here. */
import type { Command } from './command.ts';
import { check } from './commands/check.ts';

export const commands: readonly Command[] = [check];
