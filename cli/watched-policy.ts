/**
 * Watches a policy's folder: builds on every change and hands over what came out. It looks at names, sizes and times
 * several times a second rather than subscribe to events, because these also change on network file systems and where a
 * folder is swapped as a whole by a link (as Kubernetes does). Building runs in a thread of its own: the caller goes on
 * serving. A boundary file.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Door } from '../proto/door.ts';
import type { BuildOrder, BuildResult } from './build-worker.ts';
import { listPolicyFiles } from './policy-folder.ts';

export interface WatchOptions {
  /** The policy's folder, absolute. */
  readonly folder: string;
  /** Absolute; null: `deployment.json` in the folder. */
  readonly deployment: string | null;
  /** Where it is not given, the usual one. */
  readonly door?: Door;
  /** The private key that signs, PEM. */
  readonly privateKeyPem: string;
  readonly colour: boolean;
  readonly onBuilt: (result: BuildResult) => Promise<void>;
  readonly signal: AbortSignal;
}

export const LOOK_MS = 150;

/**
 * Builds once at the start, then on every change, one at a time, until the signal. Throws CommandError where the folder
 * cannot be read at the start.
 */
export async function watchPolicy(options: WatchOptions): Promise<void> {
  const { folder, deployment, door, signal } = options;
  // Which files are imported is known once they were read: where that has changed, all is built a second time.
  let imported: readonly string[] = [];
  const look = (): Promise<string> => fingerprint(folder, [deployment ?? join(folder, 'deployment.json'), ...imported]);
  let built: string | undefined;
  let seen = await look();
  const builder = new Builder();
  try {
    while (!signal.aborted) {
      if (seen !== built) {
        built = seen;
        const result = await builder.build({
          path: folder,
          deployment,
          ...(door === undefined ? {} : { door }),
          privateKeyPem: options.privateKeyPem,
          colour: options.colour,
        });
        imported = result.imported;
        await options.onBuilt(result);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
      // A folder that is gone for a moment, while it is replaced, is not a change.
      seen = await look().catch(() => seen);
    }
  } finally {
    await builder.stop();
  }
}

async function fingerprint(folder: string, others: readonly string[]): Promise<string> {
  const paths = [...(await listPolicyFiles(folder)).toSorted(), ...others];
  const states = await Promise.all(
    paths.map((path) =>
      stat(path, { bigint: true }).then(
        ({ mtimeNs, ctimeNs, size, ino }) => `${path}\0${mtimeNs} ${ctimeNs} ${size} ${ino}`,
        () => `${path}\0gone`,
      ),
    ),
  );
  return states.join('\n');
}

/**
 * A thread that builds, one order at a time. One that breaks is said and replaced: whoever serves beside it goes on.
 */
class Builder {
  #worker: Worker | undefined;

  build(order: BuildOrder): Promise<BuildResult> {
    const worker = (this.#worker ??= new Worker(new URL('./build-worker.ts', import.meta.url)));
    return new Promise((resolve) => {
      worker.removeAllListeners();
      worker.once('message', resolve);
      worker.once('error', (cause: unknown) => {
        this.#worker = undefined;
        resolve({
          bundle: null,
          imported: [],
          said: `the policy could not be built: ${cause instanceof Error ? cause.message : String(cause)}\n`,
        });
      });
      worker.postMessage(order);
    });
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }
}
