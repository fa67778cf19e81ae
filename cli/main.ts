/** `writ`: finds the command, runs it, and turns what goes wrong into an exit code. Signals become one abort signal that every command honours. */
import { commands } from './commands.ts';
import { CommandError, type ExitCode, type World } from './command.ts';
import { VERSION } from './version.ts';

process.exitCode = await main(process.argv.slice(2), processWorld());

export async function main(args: readonly string[], world: World): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    world.out(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-V') {
    world.out(`writ ${VERSION}\n`);
    return 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    world.err(`writ: there is no command \`${name}\`\n\n${overview()}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    world.out(`${command.help.trimEnd()}\n`);
    return 0;
  }
  try {
    return await command.run(rest, world);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const hint = error instanceof CommandError && error.hint !== null ? `\n  ${error.hint}` : '';
    const detail = world.env['WRIT_DEBUG'] === '1' && error.stack !== undefined ? `\n${error.stack}` : '';
    world.err(`writ: ${error.message}${hint}${detail}\n`);
    return 2;
  }
}

function overview(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const rows = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `writ ${VERSION}: policies for AI traffic, compiled\n\nusage: writ COMMAND [options]\n\n${rows.join('\n')}\n\n\`writ COMMAND --help\` says more.\nexit codes: 0 fine, 1 the policy is wrong, 2 usage or operation\n`;
}

function processWorld(): World {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      abort.abort();
      // A second signal ends the process at once: Node's own handling is back.
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe has gone (`writ … | head`): nothing is left to say.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const wantsColour = (stream: { readonly isTTY?: boolean }): boolean => stream.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
  return {
    cwd: process.cwd(),
    env: process.env,
    signal: abort.signal,
    colour: { out: wantsColour(process.stdout), err: wantsColour(process.stderr) },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    async stdin() {
      let text = '';
      process.stdin.setEncoding('utf8');
      for await (const piece of process.stdin) text += String(piece);
      return text;
    },
  };
}
