// Starts a command that runs until it is stopped, inside the test's process.
import { main } from '../../cli/run.ts';

export interface Started {
  out(): string;
  err(): string;
  /** The first match in what was printed on either stream; waits for it. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** As Ctrl-C does; the exit code. */
  stop(): Promise<number>;
}

const PRINTS_MS_MAX = 20_000;

export function startWrit(args: readonly string[], cwd: string): Started {
  const abort = new AbortController();
  let out = '';
  let err = '';
  let code: number | undefined;
  const ended = main(args, {
    cwd,
    env: {},
    signal: abort.signal,
    colour: { out: false, err: false },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: () => Promise.resolve(''),
  }).then((exit) => (code = exit));
  return {
    out: () => out,
    err: () => err,
    async prints(pattern) {
      const deadline = performance.now() + PRINTS_MS_MAX;
      for (;;) {
        const match = pattern.exec(out) ?? pattern.exec(err);
        if (match !== null) return match;
        if (code !== undefined || performance.now() > deadline)
          throw new Error(`\`writ ${args[0]}\` did not print ${String(pattern)}:\n${out}${err}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      abort.abort();
      return ended;
    },
  };
}
