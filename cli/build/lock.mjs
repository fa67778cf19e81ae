// Waits for a lock between processes and holds it while something is done.
import { setTimeout as sleep } from 'node:timers/promises';
import { tryLock } from '../../proto/process-lock.mjs';

const pollMs = 200;

/**
 * Runs `action` while holding the lock file `path`.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @param {{ onWait?: (holderPid: number) => void, waitMsMax?: number }} [options]
 *   `onWait` is called once when another process holds the lock; after `waitMsMax` (30 minutes) of waiting it throws.
 * @returns {Promise<T>}
 */
export async function withLock(path, action, { onWait, waitMsMax = 30 * 60_000 } = {}) {
  const deadline = Date.now() + waitMsMax;
  let told = false;
  let lock = tryLock(path);
  while (!lock.isTaken) {
    const { holderPid } = lock;
    if (Date.now() > deadline) throw new Error(`process ${holderPid} has held ${path} for too long`);
    if (!told) onWait?.(holderPid);
    told = true;
    await sleep(pollMs);
    lock = tryLock(path);
  }
  try {
    return await action();
  } finally {
    lock.release();
  }
}
