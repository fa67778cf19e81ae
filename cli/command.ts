/**
 * What a command of `writ` is, and what it may touch. Commands get the world as an argument, so that tests can run them
 * without a process.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';

export interface World {
  readonly cwd: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** Aborts on Ctrl-C and SIGTERM: long-running commands stop, release what they hold, and return. */
  readonly signal: AbortSignal;
  /** Whether standard output, standard error are terminals that want colour. */
  readonly colour: { readonly out: boolean; readonly err: boolean };
  out(text: string): void;
  err(text: string): void;
  /** All of standard input. */
  stdin(): Promise<string>;
}

/** 0: fine. 1: the policy is wrong. 2: usage or operation. */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  readonly name: string;
  /** What `--help` prints. */
  readonly help: string;
  run(args: readonly string[], world: World): Promise<ExitCode>;
}

/**
 * The command line cannot be understood, or something outside the policy failed. Printed as `writ: message`, exit code
 * 2.
 */
export class CommandError extends Error {
  /** Shown below the message. */
  readonly hint: string | null;
  constructor(message: string, hint: string | null = null) {
    super(message);
    this.name = 'CommandError';
    this.hint = hint;
  }
}

/** `parseArgs` of node:util with errors that say what to do. */
export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(
  command: Pick<Command, 'name'>,
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message =
      error instanceof Error
        ? error.message.split('. ')[0]!.replace(/^Unknown option '(.*)'$/, 'unknown option `$1`')
        : String(error);
    throw new CommandError(
      message.charAt(0).toLowerCase() + message.slice(1),
      `\`writ ${command.name} --help\` lists the options`,
    );
  }
}

/** Exactly one positional argument. */
export function onePath(command: Pick<Command, 'name'>, positionals: readonly string[], what: string): string {
  if (positionals.length === 1) return positionals[0]!;
  const found = positionals.length === 0 ? 'none is given' : `${positionals.length} are given`;
  throw new CommandError(
    `\`writ ${command.name}\` takes one ${what}, but ${found}`,
    `\`writ ${command.name} --help\` shows how`,
  );
}

/** The first argument, which is one of these words; throws a CommandError that names them. */
export function oneVerb<const V extends string>(
  command: Pick<Command, 'name'>,
  args: readonly string[],
  verbs: readonly V[],
): V {
  const [given = ''] = args;
  const verb = verbs.find((each) => each === given);
  if (verb !== undefined) return verb;
  const what = given === '' || given.startsWith('-') ? 'none is given' : `\`${given}\` is none of them`;
  throw new CommandError(
    `\`writ ${command.name}\` takes one of ${verbs.map((each) => `\`${each}\``).join(', ')}, but ${what}`,
    `\`writ ${command.name} --help\` shows how`,
  );
}

/** What a word of a command does with the arguments behind it. */
export type Verb = (args: readonly string[], world: World) => Promise<ExitCode>;

/** Runs what the first argument names. */
export function runVerb(
  command: Pick<Command, 'name'>,
  verbs: { readonly [verb: string]: Verb },
  args: readonly string[],
  world: World,
): Promise<ExitCode> {
  return verbs[oneVerb(command, args, Object.keys(verbs))]!(args.slice(1), world);
}
