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

/** Lines that wait for the disk. */
export const QUEUE_MAX = 8_192;
export const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** `decisions.log`, `decisions.log.1`, … */
export const FILES_MAX = 5;

export class DecisionLog {
  readonly #options: DecisionLogOptions;
  readonly #queue: string[] = [];
  #file: FileHandle | undefined;
  #bytes = 0;
  #writing: Promise<void> | undefined;
  #isBroken = false;
  written = 0;
  dropped = 0;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
  }

  add(decision: LoggedDecision): void {
    if (this.#queue.length >= (this.#options.queueMax ?? QUEUE_MAX)) {
      this.dropped++;
      return;
    }
    this.#queue.push(this.#line(decision));
    this.#writing ??= this.#drain();
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #line({ exchange, revision, record }: LoggedDecision): string {
    const { node, policy, now } = this.#options;
    const frame = JSON.stringify({
      labels: { id: node, app: 'writ' },
      decision_id: randomUUID(),
      trace_id: exchange,
      bundles: { [policy]: { revision } },
      path: 'writ/decision',
      timestamp: now().toISOString(),
    });
    // The record is JSON already: it goes in as it is, without a line end that could begin a false line.
    return `${frame.slice(0, -1)},"result":${record.replaceAll('\n', ' ')}}\n`;
  }

  async #drain(): Promise<void> {
    // One turn later: what one turn adds is written at once.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const lines = this.#queue.splice(0);
      try {
        await this.#write(Buffer.from(lines.join(''), 'utf8'));
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

  async #write(bytes: Buffer): Promise<void> {
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
