/** `writ`: the process around the commands. Signals become one abort signal that every command honours. */
import type { World } from './command.ts';
import { main } from './run.ts';

process.exitCode = await main(process.argv.slice(2), processWorld());

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
  const wantsColour = (stream: { readonly isTTY?: boolean }): boolean =>
    stream.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
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
