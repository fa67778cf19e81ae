/**
 * Contenders in processes of their own: each has its heap and its compiled code to itself. A question is a line of JSON
 * on the child's standard input, its answer a line on its standard output; the first line that it prints says that it
 * is ready. It ends when its standard input does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface AskedChild {
  /** What it said when it was ready. */
  readonly hello: unknown;
  ask(question: object): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startAskedChild(command: string, args: readonly string[]): Promise<AskedChild> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints = `${complaints}${chunk.toString()}`.slice(-COMPLAINTS_MAX)));
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${args[0] ?? command} ended with ${code}: ${complaints.trim()}`)));
  });
  ended.catch(() => undefined);
  // A child that has ended is told by its end, not by a write that fails.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await Promise.race([lines.next(), ended]);
    if (done === true || value === undefined) return ended;
    return JSON.parse(value);
  };
  return {
    hello: await next(),
    ask: (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return next();
    },
    stop: () => stop(child),
  };
}

const COMPLAINTS_MAX = 4_000;

/** A script of ours under this Node, as a contender's process. */
export function startAskedScript(script: URL, args: readonly string[]): Promise<AskedChild> {
  return startAskedChild(process.execPath, [fileURLToPath(script), ...args]);
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.stdin?.end();
    child.kill('SIGTERM');
  });
}

/** The child's side: answers each line of standard input. */
export async function answer(hello: object, reply: (question: unknown) => Promise<unknown>): Promise<void> {
  const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  print(hello);
  for await (const line of createInterface({ input: process.stdin })) print(await reply(JSON.parse(line)));
}
