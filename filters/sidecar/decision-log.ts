/**
 * The decision log: one JSON line a decision, in the shape of OPA's decision logs, in a file that is rotated. It holds
 * names and numbers: no input, no piece of a body, no claim. It never makes a request wait: the queue is bounded, and
 * what does not fit is dropped and counted. Spend never depends on it. A boundary file: it writes to disk.
 */
import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SidecarError } from './sidecar-error.ts';

export interface DecisionLogOptions {
  readonly path: string;
  readonly node: string;
  readonly policy: string;
  readonly now: () => Date;
  /** Told once for each run of failures. */
  readonly alarm: (message: string) => void;
  readonly queueMax?: number;
  readonly fileBytesMax?: number;
}

export interface LoggedDecision {
  readonly exchange: string;
  readonly revision: string;
  /** One JSON document, as the filter wrote it. */
  readonly record: string;
}

/**
 * Lines are gathered for so long before they are written, or until half of the queue is full: a write for each would
 * cost as much as its exchange. What is gathered when the process is killed is lost; spend never depends on it.
 */
const GATHER_MS = 100;
/** Lines that wait for the disk. */
export const QUEUE_MAX = 8_192;
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** `decisions.log`, `decisions.log.1`, … */
export const FILES_MAX = 5;

export class DecisionLog {
  readonly #options: DecisionLogOptions;
  /** What stands in every line before its decision's own id. */
  readonly #labels: string;
  /** The last instant that was written, as a number and as text. */
  #nowMs = Number.NaN;
  #now = '';
  #bundles: { readonly revision: string; readonly text: string } | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #isClosing = false;
  readonly #queue: string[] = [];
  #file: FileHandle | undefined;
  #bytes = 0;
  #writing: Promise<void> | undefined;
  #isBroken = false;
  written = 0;
  dropped = 0;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
    this.#labels = JSON.stringify({ id: options.node, app: 'writ' });
  }

  add(decision: LoggedDecision): void {
    const most = this.#options.queueMax ?? QUEUE_MAX;
    if (this.#queue.length >= most) {
      this.dropped++;
      return;
    }
    this.#queue.push(this.#line(decision));
    if (this.#writing !== undefined) return;
    if (this.#isClosing || this.#queue.length >= most / 2) this.#write();
    else this.#gathering ??= setTimeout(() => this.#write(), GATHER_MS);
  }

  /** Writes what waits, and ends. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#gathering !== undefined) this.#write();
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Put together from texts: what changes from line to line is the smaller part. */
  #line({ exchange, revision, record }: LoggedDecision): string {
    const nowMs = this.#options.now().getTime();
    if (nowMs !== this.#nowMs) {
      this.#nowMs = nowMs;
      this.#now = new Date(nowMs).toISOString();
    }
    if (this.#bundles?.revision !== revision)
      this.#bundles = { revision, text: JSON.stringify({ [this.#options.policy]: { revision } }) };
    // The record is JSON already: it goes in as it is, without a line end that could begin a false line.
    const result = record.includes('\n') ? record.replaceAll('\n', ' ') : record;
    return `{"labels":${this.#labels},"decision_id":"${randomUUID()}","trace_id":${JSON.stringify(exchange)},"bundles":${this.#bundles.text},"path":"writ/decision","timestamp":"${this.#now}","result":${result}}\n`;
  }

  #write(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const lines = this.#queue.splice(0);
      try {
        await this.#append(Buffer.from(lines.join(''), 'utf8'));
        this.written += lines.length;
        this.#isBroken = false;
      } catch (cause) {
        this.dropped += lines.length;
        if (!this.#isBroken)
          this.#options.alarm(
            `the decision log cannot be written: ${new SidecarError('state', 'decision log', { cause }).message}`,
          );
        this.#isBroken = true;
        await this.#file?.close().catch(() => undefined);
        this.#file = undefined;
      }
    }
    this.#writing = undefined;
  }

  async #append(bytes: Buffer): Promise<void> {
    if (
      this.#file !== undefined &&
      this.#bytes > 0 &&
      this.#bytes + bytes.length > (this.#options.fileBytesMax ?? FILE_BYTES_MAX)
    )
      await this.#rotate();
    if (this.#file === undefined) {
      this.#file = await open(this.#options.path, 'a', 0o600);
      this.#bytes = (await this.#file.stat()).size;
    }
    await this.#file.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  async #rotate(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const { path } = this.#options;
    for (let number = FILES_MAX - 2; number >= 0; number--) {
      await rename(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`).catch(
        (error: NodeJS.ErrnoException) => {
          // Not yet as many files.
          if (error.code !== 'ENOENT') throw error;
        },
      );
    }
  }
}
