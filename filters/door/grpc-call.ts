/**
 * One gRPC call on an HTTP/2 stream (gRPC's `PROTOCOL-HTTP2.md`): messages in, one at a time and only as fast as they
 * are taken; messages and a status out. It knows nothing of what a message says.
 */
import type { HeaderField } from './http2/hpack-decoder.ts';
import type { ServerStream, StreamHandler } from './http2/server-stream.ts';
import type { MessageBuffers } from './message-buffers.ts';

/** gRPC's codes, those that are used here. */
export const GRPC_OK = 0;
export const GRPC_RESOURCE_EXHAUSTED = 8;
export const GRPC_UNIMPLEMENTED = 12;
export const GRPC_INTERNAL = 13;
export const GRPC_UNAVAILABLE = 14;

export interface CallHandler {
  /** The bytes are the handler's until the call returns. */
  message(bytes: Uint8Array): void;
  /** The peer will send no more messages. */
  end(): void;
  /** The call is over, and the peer will get no status: it has gone, or sent what it may not. */
  aborted(): void;
  /** What `send` could not send has been sent. */
  drained(): void;
}

/** In front of each message: whether it is compressed, and its length. */
export const MESSAGE_HEAD_BYTES = 5;
/** In front of a field that the peer keeps in no table, whose name follows. */
const LITERAL = 0x00;
const STATUS_200 = 0x88;
/** The static table's `content-type`, as a literal: 31 in a prefix of four bits. */
const CONTENT_TYPE = [0x0f, 31 - 15];

const HEAD = Buffer.from([STATUS_200, ...CONTENT_TYPE, ...string('application/grpc')]);
const OK_TRAILERS = statusBlock(GRPC_OK, '');
const NOTHING = Buffer.alloc(0);

export interface CallOptions {
  /** The largest message that is read. */
  readonly messageBytesMax: number;
  readonly buffers: MessageBuffers;
}

/** A message in room that was taken for it. */
interface Kept {
  readonly buffer: Buffer;
  readonly length: number;
}

export class GrpcCall implements StreamHandler {
  readonly #stream: ServerStream;
  readonly #messageBytesMax: number;
  readonly #buffers: MessageBuffers;
  #handler: CallHandler | undefined;
  /** The five bytes in front of a message, as far as they have come. */
  readonly #head = new Uint8Array(MESSAGE_HEAD_BYTES);
  #headBytes = 0;
  /** The message that is coming in, and how much of it is here. */
  #message: Kept | undefined;
  #messageBytes = 0;
  /** Whole messages that came while the call was paused, and the window's bytes that are owed for them. */
  readonly #waiting: Kept[] = [];
  #owedBytes = 0;
  #isPaused = false;
  /** The peer has ended, and the handler was not told yet. */
  #hasEnded = false;
  #hasAnswered = false;
  #isOver = false;

  constructor(stream: ServerStream, { messageBytesMax, buffers }: CallOptions) {
    this.#stream = stream;
    this.#messageBytesMax = messageBytesMax;
    this.#buffers = buffers;
  }

  set handler(handler: CallHandler) {
    this.#handler = handler;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * A message with its five bytes in front, in one piece or two, which are the caller's again. False: no more is to be
   * sent until `drained`.
   */
  send(head: Uint8Array, body?: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (!this.#hasAnswered) {
      this.#hasAnswered = true;
      this.#stream.respond(HEAD);
    }
    return this.#stream.write(head, body);
  }

  /** Ends the call. What the peer still sends is not read. */
  finish(code: number, message = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveBack();
    const status = code === GRPC_OK && message === '' ? OK_TRAILERS : statusBlock(code, message);
    this.#stream.end(this.#hasAnswered ? status : Buffer.concat([HEAD, status]));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && !this.#isOver) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      this.#handOver(message);
    }
    if (this.#isPaused || this.#isOver) return;
    const owed = this.#owedBytes;
    this.#owedBytes = 0;
    if (owed > 0) this.#stream.consume(owed);
    if (this.#hasEnded) this.#tellEnd();
  }

  data(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOver;) at = this.#take(bytes, at);
    if (this.#isPaused) this.#owedBytes += bytes.length;
    else this.#stream.consume(bytes.length);
  }

  end(): void {
    if (this.#isOver) return;
    this.#hasEnded = true;
    if (!this.#isPaused) this.#tellEnd();
  }

  aborted(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#giveBack();
    this.#handler?.aborted();
  }

  drained(): void {
    if (!this.#isOver) this.#handler?.drained();
  }

  /** Takes up to one message's bytes from `at`; where the next begin. */
  #take(bytes: Uint8Array, at: number): number {
    if (this.#message === undefined) {
      const head = Math.min(MESSAGE_HEAD_BYTES - this.#headBytes, bytes.length - at);
      for (let i = 0; i < head; i++) this.#head[this.#headBytes++] = bytes[at + i] ?? 0;
      const begin = at + head;
      if (this.#headBytes < MESSAGE_HEAD_BYTES) return begin;
      this.#headBytes = 0;
      const length = this.#length();
      if (length === undefined) return bytes.length;
      // The usual case: all of it is here, and is handed on as it lies.
      if (begin + length <= bytes.length) {
        this.#deliver(length === 0 ? NOTHING : bytes.subarray(begin, begin + length));
        return begin + length;
      }
      this.#message = { buffer: this.#buffers.take(length), length };
      this.#messageBytes = 0;
      at = begin;
    }
    const message = this.#message;
    const end = Math.min(bytes.length, at + message.length - this.#messageBytes);
    message.buffer.set(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), this.#messageBytes);
    this.#messageBytes += end - at;
    if (this.#messageBytes < message.length) return end;
    this.#message = undefined;
    if (this.#isPaused) this.#waiting.push(message);
    else this.#handOver(message);
    return end;
  }

  /** Of the message whose head has come; undefined where it is refused. */
  #length(): number | undefined {
    const [flag = 0, a = 0, b = 0, c = 0, d = 0] = this.#head;
    const length = a * 2 ** 24 + ((b << 16) | (c << 8) | d);
    if (flag !== 0) return this.#refuse(GRPC_UNIMPLEMENTED, 'compressed messages are not read');
    if (length > this.#messageBytesMax) return this.#refuse(GRPC_RESOURCE_EXHAUSTED, 'the message is too large');
    return length;
  }

  #deliver(message: Uint8Array): void {
    if (!this.#isPaused) {
      this.#handler?.message(message);
      return;
    }
    const buffer = this.#buffers.take(message.length);
    buffer.set(message);
    this.#waiting.push({ buffer, length: message.length });
  }

  #handOver({ buffer, length }: Kept): void {
    this.#handler?.message(buffer.subarray(0, length));
    this.#buffers.give(buffer);
  }

  #giveBack(): void {
    if (this.#message !== undefined) this.#buffers.give(this.#message.buffer);
    for (const { buffer } of this.#waiting) this.#buffers.give(buffer);
    this.#message = undefined;
    this.#waiting.length = 0;
  }

  /** Half a message is none. */
  #tellEnd(): void {
    this.#hasEnded = false;
    if (this.#headBytes > 0 || this.#message !== undefined) this.#refuse(GRPC_INTERNAL, 'the last message is cut off');
    else this.#handler?.end();
  }

  #refuse(code: number, message: string): undefined {
    this.finish(code, message);
    this.#handler?.aborted();
  }
}

/** Why a call is not taken: gRPC's code. Undefined where it is one to `path`. */
export function refusalOf(fields: readonly HeaderField[], path: string): { code: number; message: string } | undefined {
  const value = (name: string): string | undefined => fields.find(([each]) => each === name)?.[1];
  if (value(':method') !== 'POST' || value(':path') !== path)
    return { code: GRPC_UNIMPLEMENTED, message: 'no such method' };
  if (value('content-type')?.startsWith('application/grpc') !== true)
    return { code: GRPC_INTERNAL, message: 'not a gRPC call' };
  const encoding = value('grpc-encoding');
  return encoding === undefined || encoding === 'identity'
    ? undefined
    : { code: GRPC_UNIMPLEMENTED, message: 'compressed messages are not read' };
}

function statusBlock(code: number, message: string): Buffer {
  const status = [LITERAL, ...string('grpc-status'), ...string(String(code))];
  return Buffer.from(message === '' ? status : [...status, LITERAL, ...string('grpc-message'), ...string(message)]);
}

/** In HPACK, of less than 127 bytes of ASCII, without Huffman. */
function string(text: string): number[] {
  return [text.length, ...Buffer.from(text, 'latin1')];
}
