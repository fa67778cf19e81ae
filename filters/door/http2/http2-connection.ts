/**
 * The server's end of one HTTP/2 connection (RFC 9113) on a socket of our own user. It is here because Node's costs
 * several times what a decision costs (ARCHITECTURE.md has the figures), and it does what a gRPC server needs of the
 * protocol and no more: no push, no priorities, no Huffman written. What it does it does strictly: whatever the peer may not
 * send ends the connection, and with it every exchange on it; nothing passes.
 */
import type { Socket } from 'node:net';
import * as F from './frame.ts';
import { ConnectionError } from './frame.ts';
import { FrameOutput } from './frame-output.ts';
import type { HeaderField } from './hpack-decoder.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { ServerStream } from './server-stream.ts';
import type { StreamHandler, StreamOutput } from './server-stream.ts';

export interface ConnectionOptions {
  /** Begins a stream: whoever handles what comes on it. */
  readonly open: (stream: ServerStream, head: readonly HeaderField[]) => StreamHandler;
  readonly onClose: () => void;
  /** Told of what the peer may not do, without any content, as ConnectionError; anything else is a failure of ours. */
  readonly onError: (error: unknown) => void;
}

/** Streams open at one time. */
export const STREAMS_MAX = 65_536;
/** What the peer may have on its way unread, on one stream and on all. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Of one data frame: larger frames are fewer. Only data is handed on as it comes; other frames are held whole. */
const FRAME_BYTES_MAX = 1024 * 1024;
/** A header block, with its continuations. */
export const HEADER_BLOCK_BYTES_MAX = 65_536;
/** Bytes that the peer leaves unread before exchanges pause. */
export const OUTPUT_BYTES_MAX = 1024 * 1024;
/** A peer that does not read our last words is not waited for. */
const CLOSE_MS_MAX = 1_000;
const STREAM_ID_MAX = 0x7fff_ffff;
const NOTHING = Buffer.alloc(0);

export class Http2Connection implements StreamOutput {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #output: FrameOutput;
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, ServerStream>();
  /** Streams of which something waits, for a window or for the peer to read. */
  readonly #waiting = new Set<ServerStream>();
  #lastStream = 0;
  #sendWindow = F.USUAL_WINDOW_BYTES;
  #peerStreamWindow = F.USUAL_WINDOW_BYTES;
  #receiveWindow = CONNECTION_WINDOW_BYTES;
  #received = 0;
  #hasPreface = false;
  #hasSettings = false;
  /** The beginning of a frame that has not come whole, or of the preface. */
  #partial: Buffer = NOTHING;
  /** The data frame that is coming in: what is left of it. */
  #dataLeft = 0;
  #dataStream = 0;
  #dataEnds = false;
  /** The header block that is coming in, in frames. */
  #block: Uint8Array[] | undefined;
  #blockStream = 0;
  #blockEnds = false;
  #isReading = false;
  #isFlushPlanned = false;
  #isOver = false;
  isCongested = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#output = new FrameOutput(socket);
    socket.on('drain', () => this.#onDrain());
    // What follows an error is `close`.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#onClose());
    this.#sendSettings();
    this.#output.flush();
  }

  /** Says good-bye and closes; what is open on it is aborted. */
  close(): void {
    this.#goAway(F.NO_ERROR);
  }

  /** What the peer has sent. The bytes are the connection's until the call returns. */
  receive(bytes: Buffer): void {
    this.#isReading = true;
    try {
      let at = 0;
      // What has begun is completed by itself: what comes behind it is not copied.
      while (this.#partial.length > 0 && at < bytes.length && !this.#isOver) {
        const end = Math.min(bytes.length, at + this.#missing(this.#partial));
        const joined = Buffer.concat([this.#partial, bytes.subarray(at, end)]);
        this.#partial = joined.subarray(this.#read(joined, 0));
        at = end;
      }
      at = this.#read(bytes, at);
      if (at < bytes.length && !this.#isOver) this.#partial = Buffer.from(bytes.subarray(at));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isReading = false;
      this.#flush();
    }
  }

  send(stream: ServerStream): void {
    if (this.#isOver || stream.isEndedByUs) return;
    if (stream.head !== undefined) {
      this.#sendHeaders(stream, stream.head, false);
      stream.head = undefined;
    }
    while (stream.queue.length > 0) {
      if (!this.#sendData(stream)) {
        this.#waiting.add(stream);
        return this.#planFlush();
      }
    }
    if (stream.trailers !== undefined) {
      this.#sendHeaders(stream, stream.trailers, true);
      this.#endedByUs(stream);
    } else if (this.isCongested) this.#waiting.add(stream);
    this.#planFlush();
  }

  reset(stream: ServerStream, code: number): void {
    if (this.#isOver || !this.#streams.has(stream.id)) return;
    this.#sendReset(stream.id, code);
    this.#forget(stream);
    this.#planFlush();
  }

  enlargeWindow(stream: ServerStream, bytes: number): void {
    if (this.#isOver || !this.#streams.has(stream.id)) return;
    stream.receiveWindow += bytes;
    this.#sendWindowUpdate(stream.id, bytes);
    this.#planFlush();
  }

  /** Bytes that what has begun needs to be read on. */
  #missing(partial: Buffer): number {
    if (!this.#hasPreface) return F.PREFACE.length - partial.length;
    if (partial.length < F.FRAME_HEAD_BYTES) return F.FRAME_HEAD_BYTES - partial.length;
    return F.FRAME_HEAD_BYTES + partial.readUIntBE(0, 3) - partial.length;
  }

  /** All frames of `bytes` from `at`; where the one begins that is not whole. Data is handed on as it comes. */
  #read(bytes: Buffer, from: number): number {
    let at = this.#hasPreface ? from : from + this.#readPreface(bytes, from);
    while (at < bytes.length && this.#hasPreface && !this.#isOver) {
      if (this.#dataLeft > 0) {
        const end = Math.min(bytes.length, at + this.#dataLeft);
        this.#dataLeft -= end - at;
        this.#onDataBytes(bytes.subarray(at, end));
        at = end;
        continue;
      }
      const body = at + F.FRAME_HEAD_BYTES;
      if (body > bytes.length) break;
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      const type = bytes[at + 3] ?? 0;
      const flags = bytes[at + 4] ?? 0;
      const stream = bytes.readUInt32BE(at + 5) & STREAM_ID_MAX;
      this.#checkHead(type, length, stream);
      if (type === F.DATA && (flags & F.FLAG_PADDED) === 0) {
        this.#beginData(stream, length, (flags & F.FLAG_END_STREAM) !== 0, length);
        at = body;
        continue;
      }
      if (body + length > bytes.length) break;
      this.#onFrame(type, flags, stream, bytes.subarray(body, body + length));
      at = body + length;
    }
    return at;
  }

  /** Its bytes; 0 while it is not whole. */
  #readPreface(bytes: Buffer, from: number): number {
    const length = Math.min(bytes.length - from, F.PREFACE.length);
    if (!bytes.subarray(from, from + length).equals(F.PREFACE.subarray(0, length)))
      throw new ConnectionError(F.PROTOCOL_ERROR, 'no HTTP/2 preface');
    this.#hasPreface = length === F.PREFACE.length;
    return this.#hasPreface ? length : 0;
  }

  #checkHead(type: number, length: number, stream: number): void {
    if (!this.#hasSettings && type !== F.SETTINGS) throw new ConnectionError(F.PROTOCOL_ERROR, 'no SETTINGS first');
    if (length > (type === F.DATA ? FRAME_BYTES_MAX : HEADER_BLOCK_BYTES_MAX))
      throw new ConnectionError(F.FRAME_SIZE_ERROR, 'a frame that is too large');
    if (this.#block !== undefined && (type !== F.CONTINUATION || stream !== this.#blockStream))
      throw new ConnectionError(F.PROTOCOL_ERROR, 'a header block that is not continued');
  }

  #onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case F.DATA: {
        const data = unpadded(payload);
        this.#beginData(stream, data.length, (flags & F.FLAG_END_STREAM) !== 0, payload.length);
        this.#dataLeft = 0;
        if (data.length > 0) this.#onDataBytes(data);
        return;
      }
      case F.HEADERS: {
        const rest = (flags & F.FLAG_PADDED) === 0 ? payload : unpadded(payload);
        const isPriority = (flags & F.FLAG_PRIORITY) !== 0;
        if (isPriority && rest.length < 5) throw new ConnectionError(F.FRAME_SIZE_ERROR, 'HEADERS without a priority');
        this.#block = [];
        this.#blockStream = stream;
        this.#blockEnds = (flags & F.FLAG_END_STREAM) !== 0;
        return this.#onBlock(isPriority ? rest.subarray(5) : rest, flags);
      }
      case F.CONTINUATION:
        if (this.#block === undefined) throw new ConnectionError(F.PROTOCOL_ERROR, 'a continuation of nothing');
        return this.#onBlock(payload, flags);
      case F.RST_STREAM:
        return this.#onReset(stream, payload);
      case F.SETTINGS:
        return this.#onSettings(flags, stream, payload);
      case F.PING:
        if (stream !== 0) throw new ConnectionError(F.PROTOCOL_ERROR, 'PING on a stream');
        if (payload.length !== 8) throw new ConnectionError(F.FRAME_SIZE_ERROR, 'PING of a false length');
        if ((flags & F.FLAG_ACK) !== 0) return;
        this.#output.head(8, F.PING, F.FLAG_ACK, 0);
        return this.#output.bytes(payload);
      case F.WINDOW_UPDATE:
        return this.#onWindowUpdate(stream, payload);
      case F.PUSH_PROMISE:
        throw new ConnectionError(F.PROTOCOL_ERROR, 'a client that pushes');
      default:
        // PRIORITY and GOAWAY change nothing for us; unknown types are to be ignored.
        return;
    }
  }

  #onBlock(part: Uint8Array, flags: number): void {
    const block = this.#block ?? [];
    const isWhole = (flags & F.FLAG_END_HEADERS) !== 0;
    block.push(isWhole ? part : Buffer.from(part));
    if (block.reduce((sum, each) => sum + each.length, 0) > HEADER_BLOCK_BYTES_MAX)
      throw new ConnectionError(F.ENHANCE_YOUR_CALM, 'a header block that is too large');
    if (!isWhole) return;
    this.#block = undefined;
    // Decoded whatever comes of it: the table is the connection's.
    const fields = this.#decoder.read(part.length > 0 && block.length === 1 ? part : Buffer.concat(block));
    this.#onHeaders(this.#blockStream, fields, this.#blockEnds);
  }

  #onHeaders(id: number, fields: readonly HeaderField[], ends: boolean): void {
    const known = this.#streams.get(id);
    if (known !== undefined) {
      // Trailers; a gRPC client has none to send, and they say nothing to us.
      if (known.isEndedByPeer || !ends) throw new ConnectionError(F.PROTOCOL_ERROR, 'headers where none may be');
      return this.#endedByPeer(known);
    }
    // Of a stream that we have ended: its last frames may still have been under way.
    if (id !== 0 && id <= this.#lastStream) return;
    if (id % 2 === 0) throw new ConnectionError(F.PROTOCOL_ERROR, "a stream that is not a client's");
    this.#lastStream = id;
    if (this.#streams.size >= STREAMS_MAX) return this.#sendReset(id, F.REFUSED_STREAM);
    const stream = new ServerStream(id, this, this.#peerStreamWindow, STREAM_WINDOW_BYTES);
    this.#streams.set(id, stream);
    stream.handler = this.#options.open(stream, fields);
    if (ends) this.#endedByPeer(stream);
  }

  #beginData(id: number, bytes: number, ends: boolean, windowBytes: number): void {
    if (id === 0 || id > this.#lastStream) throw new ConnectionError(F.PROTOCOL_ERROR, 'data of a stream not open');
    this.#receiveWindow -= windowBytes;
    if (this.#receiveWindow < 0) throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'more data than the window allows');
    // Of the connection at once: what bounds memory is the window of each stream.
    this.#received += windowBytes;
    if (this.#received >= CONNECTION_WINDOW_BYTES / 2) {
      this.#sendWindowUpdate(0, this.#received);
      this.#receiveWindow += this.#received;
      this.#received = 0;
    }
    this.#dataLeft = bytes;
    this.#dataStream = id;
    this.#dataEnds = ends;
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (stream.isEndedByPeer) throw new ConnectionError(F.STREAM_CLOSED, 'data after the end of a stream');
    stream.receiveWindow -= windowBytes;
    if (stream.receiveWindow < 0) throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'more data than the window allows');
    if (windowBytes > bytes) stream.consume(windowBytes - bytes);
    if (bytes === 0 && ends) this.#endedByPeer(stream);
  }

  #onDataBytes(bytes: Uint8Array): void {
    const stream = this.#streams.get(this.#dataStream);
    if (stream === undefined) return;
    stream.handler?.data(bytes);
    if (this.#dataLeft === 0 && this.#dataEnds && this.#streams.get(stream.id) === stream) this.#endedByPeer(stream);
  }

  #onReset(id: number, payload: Uint8Array): void {
    if (payload.length !== 4) throw new ConnectionError(F.FRAME_SIZE_ERROR, 'RST_STREAM of a false length');
    if (id === 0 || id > this.#lastStream) throw new ConnectionError(F.PROTOCOL_ERROR, 'a reset of a stream not open');
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#forget(stream);
    stream.handler?.aborted();
  }

  #onSettings(flags: number, stream: number, payload: Buffer): void {
    if (stream !== 0) throw new ConnectionError(F.PROTOCOL_ERROR, 'SETTINGS on a stream');
    const isAck = (flags & F.FLAG_ACK) !== 0;
    if (isAck ? payload.length > 0 : payload.length % 6 !== 0)
      throw new ConnectionError(F.FRAME_SIZE_ERROR, 'SETTINGS of a false length');
    this.#hasSettings = true;
    if (isAck) return;
    for (let at = 0; at < payload.length; at += 6) {
      // The others bound what we would send and do not: frames above the usual size, pushes, an index of headers.
      if (payload.readUInt16BE(at) === F.SETTINGS_INITIAL_WINDOW_SIZE) this.#setWindow(payload.readUInt32BE(at + 2));
    }
    this.#output.head(0, F.SETTINGS, F.FLAG_ACK, 0);
    this.#sendWaiting();
  }

  #setWindow(bytes: number): void {
    if (bytes > F.WINDOW_BYTES_MAX) throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'a window that is too large');
    for (const stream of this.#streams.values()) {
      stream.sendWindow += bytes - this.#peerStreamWindow;
      if (stream.sendWindow > F.WINDOW_BYTES_MAX)
        throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'a window that is too large');
    }
    this.#peerStreamWindow = bytes;
  }

  #onWindowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new ConnectionError(F.FRAME_SIZE_ERROR, 'WINDOW_UPDATE of a false length');
    const bytes = payload.readUInt32BE(0) & F.WINDOW_BYTES_MAX;
    if (bytes === 0) throw new ConnectionError(F.PROTOCOL_ERROR, 'a window that grows by nothing');
    if (id > this.#lastStream) throw new ConnectionError(F.PROTOCOL_ERROR, 'a window of a stream not open');
    if (id === 0) {
      this.#sendWindow += bytes;
      if (this.#sendWindow > F.WINDOW_BYTES_MAX)
        throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'a window that is too large');
      return this.#sendWaiting();
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendWindow += bytes;
    if (stream.sendWindow > F.WINDOW_BYTES_MAX)
      throw new ConnectionError(F.FLOW_CONTROL_ERROR, 'a window that is too large');
    this.#sendAgain(stream);
  }

  #sendWaiting(): void {
    for (const stream of [...this.#waiting]) this.#sendAgain(stream);
  }

  #sendAgain(stream: ServerStream): void {
    if (!this.#waiting.delete(stream)) return;
    this.send(stream);
    if (this.#waiting.has(stream) || !stream.isWaiting) return;
    stream.isWaiting = false;
    stream.handler?.drained();
  }

  /** As much of the first piece as one frame may have; false where a window is used up. */
  #sendData(stream: ServerStream): boolean {
    const [piece] = stream.queue;
    if (piece === undefined) return true;
    const bytes = Math.min(piece.length, F.USUAL_FRAME_BYTES, stream.sendWindow, this.#sendWindow);
    if (bytes <= 0) return false;
    this.#output.head(bytes, F.DATA, 0, stream.id);
    this.#output.bytes(bytes === piece.length ? piece : piece.subarray(0, bytes));
    stream.sendWindow -= bytes;
    this.#sendWindow -= bytes;
    if (bytes === piece.length) stream.queue.shift();
    else stream.queue[0] = piece.subarray(bytes);
    return true;
  }

  #sendHeaders(stream: ServerStream, block: Uint8Array, ends: boolean): void {
    this.#output.head(block.length, F.HEADERS, F.FLAG_END_HEADERS | (ends ? F.FLAG_END_STREAM : 0), stream.id);
    this.#output.bytes(block);
  }

  #sendReset(id: number, code: number): void {
    this.#output.head(4, F.RST_STREAM, 0, id);
    this.#output.u32(code);
  }

  #sendWindowUpdate(id: number, bytes: number): void {
    this.#output.head(4, F.WINDOW_UPDATE, 0, id);
    this.#output.u32(bytes);
  }

  #sendSettings(): void {
    const settings = [
      [F.SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX],
      [F.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
      [F.SETTINGS_MAX_FRAME_SIZE, FRAME_BYTES_MAX],
    ] as const;
    const payload = Buffer.alloc(settings.length * 6);
    settings.forEach(([name, value], i) => payload.writeUInt32BE(value, payload.writeUInt16BE(name, i * 6)));
    this.#output.head(payload.length, F.SETTINGS, 0, 0);
    this.#output.bytes(payload);
    this.#sendWindowUpdate(0, CONNECTION_WINDOW_BYTES - F.USUAL_WINDOW_BYTES);
  }

  #endedByPeer(stream: ServerStream): void {
    stream.isEndedByPeer = true;
    if (stream.isEndedByUs) this.#forget(stream);
    else stream.handler?.end();
  }

  #endedByUs(stream: ServerStream): void {
    stream.isEndedByUs = true;
    // What the peer would still send is not read: it may stop (RFC 9113, section 8.1).
    if (!stream.isEndedByPeer) this.#sendReset(stream.id, F.NO_ERROR);
    this.#forget(stream);
    this.#planFlush();
  }

  #forget(stream: ServerStream): void {
    this.#streams.delete(stream.id);
    this.#waiting.delete(stream);
  }

  /** What the current bytes bring about is written at their end; what comes later, at the end of its turn. */
  #planFlush(): void {
    if (this.#isReading || this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    process.nextTick(() => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    this.#output.flush();
    this.isCongested = this.#output.waiting > OUTPUT_BYTES_MAX;
  }

  #onDrain(): void {
    this.isCongested = false;
    this.#sendWaiting();
  }

  #fail(error: unknown): void {
    this.#options.onError(error);
    this.#goAway(error instanceof ConnectionError ? error.code : F.INTERNAL_ERROR);
  }

  #goAway(code: number): void {
    if (this.#isOver) return;
    this.#output.head(8, F.GOAWAY, 0, 0);
    this.#output.u32(this.#lastStream);
    this.#output.u32(code);
    this.#output.flush();
    this.#isOver = true;
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), CLOSE_MS_MAX).unref();
    this.#abortAll();
  }

  #onClose(): void {
    this.#isOver = true;
    this.#abortAll();
    this.#options.onClose();
  }

  #abortAll(): void {
    const open = [...this.#streams.values()];
    this.#streams.clear();
    this.#waiting.clear();
    for (const { handler } of open) handler?.aborted();
  }
}

function unpadded(payload: Buffer): Buffer {
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length)
    throw new ConnectionError(F.PROTOCOL_ERROR, 'more padding than payload');
  return payload.subarray(1, payload.length - padding);
}
