// The thread that prints `types.d.ts`: see types-printer.ts.
import { parentPort } from 'node:worker_threads';
import type { Plan } from '../compiler/plan/plan.ts';
import { typesOf } from '../compiler/types/types.ts';
import type { PrintedTypes } from './types-printer.ts';

parentPort?.on('message', (plan: Plan) => {
  let printed: PrintedTypes;
  try {
    printed = { kind: 'printed', text: typesOf(plan) };
  } catch (error) {
    printed = { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(printed);
});
