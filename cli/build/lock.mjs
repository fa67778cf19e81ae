// A lock between processes, held by a file. A holder that died is found by its process id and start time, and
// its lock is broken. It is for one machine: not for a cache on a network drive.
import { linkSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 200;
/** Breaking a dead lock takes microseconds; a guard this old was left by a breaker that died too. */
const guardAgeMsMax = 10_000;

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
  mkdirSync(dirname(path), { recursive: true });
  const token = JSON.stringify({ pid: process.pid, startTime: startTime(process.pid), id: randomUUID() });
  const deadline = Date.now() + waitMsMax;
  let told = false;
  while (!tryAcquire(path, token)) {
    const held = readHolder(path);
    if (held === undefined) continue;
    if (!isAlive(held)) {
      breakLock(path, held.text);
      continue;
    }
    if (Date.now() > deadline) throw new Error(`process ${held.pid} has held ${path} for too long`);
    if (!told) onWait?.(held.pid);
    told = true;
    await sleep(pollMs);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * The link appears whole or not at all, so that no reader sees a lock without its holder.
 * @param {string} path @param {string} token
 */
function tryAcquire(path, token) {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, token);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/**
 * @param {string} path
 * @returns {{ pid: number, startTime: string | null, text: string } | undefined} undefined when nobody holds it
 */
function readHolder(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { pid, startTime } = JSON.parse(text);
    return { pid: Number(pid), startTime: typeof startTime === 'string' ? startTime : null, text };
  } catch {
    // Not a lock of ours (a disk that filled up, an editor): nobody holds it.
    return { pid: 0, startTime: null, text };
  }
}

/** @param {{ pid: number, startTime: string | null }} holder */
function isAlive(holder) {
  if (!Number.isSafeInteger(holder.pid) || holder.pid <= 0) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
  }
  // Process ids are reused; a process that started later is another one.
  const seen = startTime(holder.pid);
  return holder.startTime === null || seen === null || seen === holder.startTime;
}

/**
 * Under the guard, a lock whose text has not changed is still the dead one: nobody else may remove it.
 * @param {string} path @param {string} deadText
 */
function breakLock(path, deadText) {
  const guard = `${path}.breaking`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > guardAgeMsMax) rmSync(guard, { recursive: true, force: true });
    return;
  }
  try {
    if (readHolder(path)?.text === deadText) rmSync(path, { force: true });
  } finally {
    rmdirSync(guard);
  }
}

/**
 * Field 22 of Linux's /proc/PID/stat, in clock ticks since boot; null elsewhere.
 * @param {number} pid
 * @returns {string | null}
 */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
