/** Finds the command, runs it, and turns what goes wrong into an exit code. */
import { type ExitCode, CommandError, type World } from './command.ts';
import { commands } from './commands.ts';
import { VERSION } from './version.ts';

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
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    world.err(`writ: there is no command \`${name}\`\n\n${overview()}`);
    return 2;
  }
  const command = await entry.load();
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
