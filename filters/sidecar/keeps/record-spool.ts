/**
 * Records on their way to the control plane: each in a file of its own, on disk before its request goes on, deleted when
 * the control plane has it. What was there when the sidecar ended is there when it starts again. Bounded: where it is full,
 * or the disk does not take it, it says so, and whoever asked denies. A boundary file: it touches the disk.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Of all records that wait. */
export const SPOOL_BYTES_MAX = 256 * 1024 * 1024;
export const SPOOL_FILES_MAX = 65_536;
const DIGITS = 16;
const ENDING = '.record';

export interface SpoolOptions {
  readonly folder: string;
  readonly bytesMax?: number;
  readonly filesMax?: number;
}

/** A record on disk: its place in the order, and its bytes. */
export interface Spooled {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export class RecordSpool {
  readonly #folder: string;
  readonly #bytesMax: number;
  readonly #filesMax: number;
  /** By number, oldest first: bytes of each. */
  readonly #files = new Map<number, number>();
  #bytes = 0;
  #next = 1;

  /** Makes the folder where it is not there; half-written files of a process that died are deleted. */
  constructor({ folder, bytesMax = SPOOL_BYTES_MAX, filesMax = SPOOL_FILES_MAX }: SpoolOptions) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
    this.#filesMax = filesMax;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder).sort()) {
      const number = Number(name.slice(0, DIGITS));
      if (name.length !== DIGITS + ENDING.length || !name.endsWith(ENDING) || !Number.isSafeInteger(number)) {
        unlinkSync(join(folder, name));
        continue;
      }
      const { size } = statSync(join(folder, name));
      this.#files.set(number, size);
      this.#bytes += size;
      this.#next = number + 1;
    }
  }

  get files(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is on disk, for good. */
  add(bytes: Uint8Array): boolean {
    if (this.#files.size >= this.#filesMax || this.#bytes + bytes.length > this.#bytesMax) return false;
    const number = this.#next;
    try {
      this.#write(number, bytes);
    } catch {
      return false;
    }
    this.#next = number + 1;
    this.#files.set(number, bytes.length);
    this.#bytes += bytes.length;
    return true;
  }

  /** The oldest; undefined where nothing waits. A file that cannot be read any more is left out. */
  first(): Spooled | undefined {
    for (const [number] of this.#files) {
      try {
        return { number, bytes: readFileSync(this.#path(number)) };
      } catch {
        this.remove(number);
      }
    }
    return undefined;
  }

  remove(number: number): void {
    this.#bytes -= this.#files.get(number) ?? 0;
    this.#files.delete(number);
    try {
      unlinkSync(this.#path(number));
    } catch {
      // Told again after a start, it is entered once all the same.
    }
  }

  /** A file that is there is whole. */
  #write(number: number, bytes: Uint8Array): void {
    const path = this.#path(number);
    const file = openSync(`${path}.new`, 'w', 0o600);
    try {
      writeSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
    const folder = openSync(this.#folder, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(DIGITS, '0')}${ENDING}`);
  }
}
