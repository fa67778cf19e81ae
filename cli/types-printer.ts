/**
 * Prints a policy's TypeScript types on a thread of their own. ts-morph brings TypeScript's compiler along, and to load
 * that takes as long as all the rest of a build, which goes on meanwhile.
 */
import { Worker } from 'node:worker_threads';
import type { Plan } from '../compiler/plan/plan.ts';

export type PrintedTypes =
  { readonly kind: 'printed'; readonly text: string } | { readonly kind: 'failed'; readonly message: string };

export interface TypesPrinter {
  /** The text of `types.d.ts`. At most once. */
  print(plan: Plan): Promise<string>;
  /** For a build that comes to nothing. */
  stop(): void;
}

export function startTypesPrinter(): TypesPrinter {
  const worker = new Worker(new URL('./types-worker.ts', import.meta.url), { execArgv: [] });
  // A build that fails elsewhere must not wait for it.
  worker.unref();
  const stop = (): void => void worker.terminate();
  const answer = new Promise<string>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the types were not printed')));
    worker.once('message', (printed: PrintedTypes) => {
      if (printed.kind === 'printed') resolve(printed.text);
      else reject(new Error(`the types were not printed: ${printed.message}`));
    });
  }).finally(stop);
  // Whoever never asks need not hear that it failed.
  answer.catch(() => undefined);
  return {
    print: (plan) => {
      worker.ref();
      worker.postMessage(plan);
      return answer;
    },
    stop,
  };
}
