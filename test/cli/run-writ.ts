// Runs a command of `writ` inside the test's process, with a world of its own.
import { main } from '../../cli/run.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface WritOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
}

export async function writ(
  args: readonly string[],
  { cwd = process.cwd(), stdin = '', signal = new AbortController().signal }: WritOptions = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await main(args, {
    cwd,
    env: {},
    signal,
    colour: { out: false, err: false },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: () => Promise.resolve(stdin),
  });
  return { code, out, err };
}
