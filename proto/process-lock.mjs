// A lock between processes, held by a file. A holder that died is found by its process id and start time, and its lock
// is broken. It is for one machine: not for a folder on a network drive. Plain JavaScript, because the bootstrap takes
// locks before there is a Node that strips types. A boundary file: it touches disk.
import { linkSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';

/** Breaking a dead lock takes microseconds; a guard this old was left by a breaker that died too. */
const guardAgeMsMax = 10_000;
/** A lock is broken and taken within this many turns, unless others do the same again and again. */
const turnsMax = 100;

/**
 * Takes the lock file `path`, without waiting.
 * @param {string} path
 * @returns {{ readonly isTaken: true, readonly release: () => void } | { readonly isTaken: false, readonly holderPid: number }}
 *   `holderPid` is 0 where another process is just taking over a dead one's lock. Throws where the disk refuses.
 */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const token = JSON.stringify({ pid: process.pid, startTime: startTime(process.pid), id: randomUUID() });
  for (let turn = 0; turn < turnsMax; turn++) {
    if (tryAcquire(path, token)) return { isTaken: true, release: () => release(path, token) };
    const held = readHolder(path);
    if (held === undefined) continue;
    if (isAlive(held)) return { isTaken: false, holderPid: held.pid };
    breakLock(path, held.text);
  }
  return { isTaken: false, holderPid: 0 };
}

/**
 * Only our own: someone may have cleared the folder and begun anew in it.
 * @param {string} path @param {string} token
 */
function release(path, token) {
  if (readHolder(path)?.text === token) rmSync(path, { force: true });
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
