// What is alive in this process: what a collection leaves.
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** A collection gives back what dead buffers had outside of V8's heap a little later. */
const SWEPT_MS = 100;

/** Bytes, those that its objects own outside of V8's heap included. It stops the process for two collections. */
export async function liveBytes(): Promise<number> {
  if (typeof collect !== 'function') throw new Error('this Node does not let anybody ask for a collection');
  collect();
  await pause(SWEPT_MS);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
