/** One stream of a connection: its windows, what waits to be sent on it, and who is told of what comes in. */

/** Told of what happens to a stream; nothing after `end` and the server's own end, nothing after `aborted`. */
export interface StreamHandler {
  /** The bytes are the handler's until the call returns, and to keep only by keeping what they are a view of. */
  data(bytes: Uint8Array): void;
  /** The peer will send no more. */
  end(): void;
  /** The peer reset the stream, or the connection is gone. */
  aborted(): void;
  /** What `write` could not send has been sent. */
  drained(): void;
}

/** How a stream reaches its connection. */
export interface StreamOutput {
  /** Sends what the windows allow. */
  send(stream: ServerStream): void;
  reset(stream: ServerStream, code: number): void;
  enlargeWindow(stream: ServerStream, bytes: number): void;
  readonly isCongested: boolean;
}

export class ServerStream {
  readonly id: number;
  readonly #output: StreamOutput;
  readonly #windowBytes: number;
  handler: StreamHandler | undefined;
  /** Bytes that we may send. */
  sendWindow: number;
  /** Bytes that the peer may send. */
  receiveWindow: number;
  #consumed = 0;
  /** Header blocks to send before and after the data, if any. */
  head: Uint8Array | undefined;
  /** What waits is a copy: whoever wrote it has its bytes back. */
  readonly queue: Uint8Array[] = [];
  trailers: Uint8Array | undefined;
  /** A write could not be finished, and its end has not been told. */
  isWaiting = false;
  isEndedByPeer = false;
  isEndedByUs = false;

  constructor(id: number, output: StreamOutput, sendWindow: number, windowBytes: number) {
    this.id = id;
    this.#output = output;
    this.sendWindow = sendWindow;
    this.receiveWindow = windowBytes;
    this.#windowBytes = windowBytes;
  }

  respond(head: Uint8Array): void {
    this.head = head;
    this.#output.send(this);
  }

  /** Whether more may be written now; if not, `drained` says when. The bytes are the caller's again. */
  write(first: Uint8Array, second?: Uint8Array): boolean {
    const before = this.queue.length;
    if (first.length > 0) this.queue.push(first);
    if (second !== undefined && second.length > 0) this.queue.push(second);
    const written = this.queue.length - before;
    this.#output.send(this);
    const left = this.queue.length;
    for (let i = Math.max(0, left - written); i < left; i++) this.queue[i] = Buffer.from(this.queue[i] ?? []);
    this.isWaiting = left > 0 || this.#output.isCongested;
    return !this.isWaiting;
  }

  /** After all that was written; without any of it, the one header block of the answer. */
  end(trailers: Uint8Array): void {
    this.trailers = trailers;
    this.#output.send(this);
  }

  reset(code: number): void {
    this.#output.reset(this, code);
  }

  /** So many bytes that came in are worked off: the peer may send as many more. */
  consume(bytes: number): void {
    this.#consumed += bytes;
    // In steps: an update costs a frame.
    if (this.#consumed < this.#windowBytes / 2 || this.isEndedByPeer) return;
    this.#output.enlargeWindow(this, this.#consumed);
    this.#consumed = 0;
  }
}
