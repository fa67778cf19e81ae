// Envoy's side of proxy-wasm, as far as the filter uses it, without Envoy: bodies come in any chunks, workers share
// data, and calls are answered when the test says so. What Envoy refuses, this host refuses (an edit in mid-buffer, a
// buffer that is not there).
import { writeHeaderPairs } from '../../filters/host/header-pairs.ts';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';

const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const CAS_MISMATCH = 8;
const PAUSE = 1;
const DOWNSTREAM = 2;
const ROOT = 1;

type Callbacks = { readonly [name: string]: (...values: readonly number[]) => number };

/** What all workers of one Envoy share. */
export class SharedData {
  readonly #records = new Map<string, { value: Uint8Array; version: number }>();
  /** Every so many writes another worker is faster; 0: never. */
  readonly #contention: number;
  #version = 0;
  #writes = 0;
  reads = 0;

  constructor(contention = 0) {
    this.#contention = contention;
  }

  get(key: string): { value: Uint8Array; version: number } | undefined {
    this.reads++;
    return this.#records.get(key);
  }

  set(key: string, value: Uint8Array, version: number): number {
    const record = this.#records.get(key);
    if (record !== undefined && this.#contention > 0 && ++this.#writes % this.#contention === 0)
      record.version = ++this.#version;
    if (record !== undefined && version !== 0 && version !== record.version) return CAS_MISMATCH;
    this.#records.set(key, { value, version: ++this.#version });
    return OK;
  }
}

export interface GrpcCall {
  readonly root: number;
  readonly token: number;
  readonly message: Uint8Array;
}

export interface WorkerOptions {
  readonly configuration: string;
  readonly shared?: SharedData;
  readonly now?: () => number;
  readonly grpc?: (call: GrpcCall, worker: Worker) => number;
  readonly random?: () => bigint;
}

interface Stream {
  readonly id: number;
  requestHeaders: HeaderPair[];
  replyHeaders: HeaderPair[];
  request: Buffer;
  reply: Buffer;
  /** The reply that the filter has answered with. */
  local: { readonly status: number; readonly body: string; readonly headers: readonly HeaderPair[] } | undefined;
  continued: number[];
  closed: number[];
  serverName: string | undefined;
  properties: Map<string, string>;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #exports: Callbacks & { readonly memory: WebAssembly.Memory };
  readonly #streams = new Map<number, Stream>();
  readonly metrics = new Map<number, { readonly name: string; value: number }>();
  #current = ROOT;
  #nextId = ROOT + 1;
  #nextToken = 1;
  #message: Uint8Array = new Uint8Array();

  constructor(wasm: Uint8Array, options: WorkerOptions) {
    this.#options = options;
    const module = new WebAssembly.Module(new Uint8Array(wasm));
    const imports: Record<string, Record<string, (...args: never[]) => number>> = {};
    const given: Record<string, (...args: readonly number[]) => number> = this.#functions();
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const implementation = given[name];
      if (implementation === undefined) throw new Error(`the filter imports ${name}, which Envoy's stand-in lacks`);
      (imports[from] ??= {})[name] = implementation as (...args: never[]) => number;
    }
    this.#exports = new WebAssembly.Instance(module, imports).exports as unknown as Callbacks & {
      readonly memory: WebAssembly.Memory;
    };
    this.#call('proxy_on_context_create', ROOT, 0);
    this.#call('proxy_on_vm_start', ROOT, 0);
    if (this.#call('proxy_on_configure', ROOT, Buffer.byteLength(options.configuration)) !== 1)
      throw new Error('the configuration is refused');
  }

  /** A request, in these chunks: the stream as the filter left it. */
  request(
    headers: readonly HeaderPair[],
    chunks: readonly Uint8Array[],
    { trailers = false }: { readonly trailers?: boolean } = {},
  ): Stream {
    const stream = this.#newStream(headers);
    const { id } = stream;
    let state = this.#on(id, 'proxy_on_request_headers', headers.length, chunks.length === 0 && !trailers ? 1 : 0);
    chunks.forEach((chunk, at) => {
      if (stream.local !== undefined) return;
      stream.request = Buffer.concat([stream.request, chunk]);
      const isLast = at === chunks.length - 1 && !trailers;
      state = this.#on(id, 'proxy_on_request_body', stream.request.length, isLast ? 1 : 0);
    });
    if (trailers && stream.local === undefined) state = this.#on(id, 'proxy_on_request_trailers', 0);
    if (state !== PAUSE) stream.continued.push(0);
    return stream;
  }

  /** The reply to a request that went on; what the client got of its body. */
  reply(
    stream: Stream,
    headers: readonly HeaderPair[],
    chunks: readonly Uint8Array[],
    { trailers = false }: { readonly trailers?: boolean } = {},
  ): Buffer {
    stream.replyHeaders = [...headers];
    const sent: Buffer[] = [];
    let held = Buffer.alloc(0);
    this.#on(stream.id, 'proxy_on_response_headers', headers.length, chunks.length === 0 && !trailers ? 1 : 0);
    const pass = (state: number): void => {
      held = stream.reply as Buffer<ArrayBuffer>;
      if (state === PAUSE) return;
      sent.push(held);
      held = Buffer.alloc(0);
    };
    chunks.forEach((chunk, at) => {
      if (stream.local !== undefined) return;
      stream.reply = Buffer.concat([held, chunk]);
      const isLast = at === chunks.length - 1 && !trailers;
      pass(this.#on(stream.id, 'proxy_on_response_body', stream.reply.length, isLast ? 1 : 0));
    });
    if (trailers && stream.local === undefined) pass(this.#on(stream.id, 'proxy_on_response_trailers', 0));
    return Buffer.concat(sent);
  }

  /** A connection to the outside, by the name in its TLS hello; it is over when this returns. */
  connection(serverName: string | undefined): { readonly isClosed: boolean; readonly decision: string } {
    const stream = this.#newStream([]);
    stream.serverName = serverName;
    const state = this.#on(stream.id, 'proxy_on_new_connection');
    this.end(stream);
    return {
      isClosed: state === PAUSE && stream.closed.includes(DOWNSTREAM),
      decision: stream.properties.get('decision') ?? '',
    };
  }

  end(stream: Stream): void {
    this.#on(stream.id, 'proxy_on_log');
    this.#on(stream.id, 'proxy_on_delete');
    this.#streams.delete(stream.id);
  }

  tick(): void {
    this.#on(ROOT, 'proxy_on_tick');
  }

  answerGrpc({ root, token }: GrpcCall, message: Uint8Array): void {
    this.#message = message;
    this.#current = ROOT;
    this.#call('proxy_on_grpc_receive', root, token, message.length);
  }

  failGrpc({ root, token }: GrpcCall): void {
    this.#current = ROOT;
    this.#call('proxy_on_grpc_close', root, token, 14);
  }

  get bytesInUse(): number {
    return this.#call('writ_bytes_in_use');
  }

  #newStream(headers: readonly HeaderPair[]): Stream {
    const id = this.#nextId++;
    const stream: Stream = {
      id,
      requestHeaders: [...headers],
      replyHeaders: [],
      request: Buffer.alloc(0),
      reply: Buffer.alloc(0),
      local: undefined,
      continued: [],
      closed: [],
      serverName: undefined,
      properties: new Map(),
    };
    this.#streams.set(id, stream);
    this.#call('proxy_on_context_create', id, ROOT);
    return stream;
  }

  #on(id: number, name: string, ...values: readonly number[]): number {
    this.#current = id;
    return this.#call(name, id, ...values);
  }

  #call(name: string, ...values: readonly number[]): number {
    const callback = this.#exports[name];
    if (callback === undefined) throw new Error(`the filter has no ${name}`);
    return callback(...values);
  }

  #stream(): Stream {
    const stream = this.#streams.get(this.#current);
    if (stream === undefined) throw new Error('a call about a stream that is not there');
    return stream;
  }

  #read(at: number, length: number): Buffer {
    return Buffer.from(this.#exports.memory.buffer.slice(at, at + length));
  }

  /** Headers as the ABI writes them: how many, the lengths of each, then each with a zero behind name and value. */
  #pairs(address: number, length: number): HeaderPair[] {
    // No headers at all: not even their number.
    if (length === 0) return [];
    const bytes = Buffer.from(this.#exports.memory.buffer, address, length);
    const count = bytes.readUInt32LE(0);
    let at = 4 + 8 * count;
    const next = (bytesOf: number): string => {
      at += bytesOf + 1;
      return bytes.toString('latin1', at - bytesOf - 1, at - 1);
    };
    return Array.from({ length: count }, (_, index): HeaderPair => [
      next(bytes.readUInt32LE(4 + 8 * index)),
      next(bytes.readUInt32LE(8 + 8 * index)),
    ]);
  }

  #text(at: number, length: number): string {
    return this.#read(at, length).toString('latin1');
  }

  #u32(at: number, value: number): void {
    new DataView(this.#exports.memory.buffer).setUint32(at, value, true);
  }

  /** Hands bytes over as Envoy does: in a block that it asks the filter for. */
  #give(bytes: Uint8Array, toBytes: number, toLength: number): number {
    const at = this.#call('proxy_on_memory_allocate', bytes.length);
    if (at === 0) return 10;
    new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
    this.#u32(toBytes, at);
    this.#u32(toLength, bytes.length);
    return OK;
  }

  #map(map: number): HeaderPair[] {
    return map === 0 ? this.#stream().requestHeaders : map === 2 ? this.#stream().replyHeaders : [];
  }

  #setMap(map: number, headers: HeaderPair[]): void {
    if (map === 0) this.#stream().requestHeaders = headers;
    else if (map === 2) this.#stream().replyHeaders = headers;
  }

  #functions(): Record<string, (...args: readonly number[]) => number> {
    const shared = this.#options.shared ?? new SharedData();
    const functions: Record<string, (...args: number[]) => number> = {
      proxy_get_current_time_nanoseconds: (to) => {
        const now = BigInt(this.#options.now?.() ?? Date.now()) * 1_000_000n;
        new DataView(this.#exports.memory.buffer).setBigUint64(to!, now, true);
        return OK;
      },
      proxy_set_effective_context: (id) => ((this.#current = id!), OK),
      proxy_get_buffer_bytes: (buffer, start, most, toBytes, toLength) => {
        const bytes = this.#buffer(buffer!);
        if (bytes === undefined) return NOT_FOUND;
        return this.#give(bytes.subarray(start!, start! + most!), toBytes!, toLength!);
      },
      proxy_set_buffer_bytes: (buffer, start, replaced, at, length) => {
        const before = this.#buffer(buffer!);
        if (before === undefined) return NOT_FOUND;
        // Envoy replaces from the beginning, or appends; nothing in between.
        if (start !== 0 && start! < before.length) return BAD_ARGUMENT;
        const after = Buffer.concat([this.#read(at!, length!), before.subarray(replaced!)]);
        if (buffer === 0) this.#stream().request = after;
        else this.#stream().reply = after;
        return OK;
      },
      proxy_get_header_map_pairs: (map, toBytes, toLength) =>
        this.#give(writeHeaderPairs(this.#map(map!)), toBytes!, toLength!),
      proxy_get_header_map_value: () => NOT_FOUND,
      proxy_replace_header_map_value: (map, name, nameLength, value, valueLength) => {
        const key = this.#text(name!, nameLength!);
        const others = this.#map(map!).filter(([each]) => each !== key);
        this.#setMap(map!, [...others, [key, this.#text(value!, valueLength!)]]);
        return OK;
      },
      proxy_remove_header_map_value: (map, name, nameLength) => {
        const key = this.#text(name!, nameLength!);
        this.#setMap(
          map!,
          this.#map(map!).filter(([each]) => each !== key),
        );
        return OK;
      },
      proxy_send_local_response: (status, _details, _length, body, bodyLength, headers, headersLength) => {
        this.#stream().local = {
          status: status!,
          body: this.#text(body!, bodyLength!),
          headers: this.#pairs(headers!, headersLength!),
        };
        return OK;
      },
      proxy_continue_stream: (side) => (this.#stream().continued.push(side!), OK),
      proxy_close_stream: (side) => (this.#stream().closed.push(side!), OK),
      proxy_http_call: () => BAD_ARGUMENT,
      proxy_define_metric: (_type, name, length, to) => {
        const id = this.metrics.size + 1;
        this.metrics.set(id, { name: this.#text(name!, length!), value: 0 });
        this.#u32(to!, id);
        return OK;
      },
      proxy_increment_metric: (id, offset) => {
        const metric = this.metrics.get(id!);
        if (metric === undefined) return NOT_FOUND;
        metric.value += Number(offset);
        return OK;
      },
      proxy_get_property: (path, length, toBytes, toLength) => {
        const { serverName } = this.#stream();
        if (this.#text(path!, length!) !== 'connection\0requested_server_name' || serverName === undefined)
          return NOT_FOUND;
        return this.#give(Buffer.from(serverName), toBytes!, toLength!);
      },
      proxy_set_property: (path, length, value, valueLength) => {
        this.#stream().properties.set(this.#text(path!, length!), this.#read(value!, valueLength!).toString('utf8'));
        return OK;
      },
      proxy_set_tick_period_milliseconds: () => OK,
      proxy_grpc_call: (...values) => {
        const [at, length, , to] = values.slice(8);
        const token = this.#nextToken;
        this.#nextToken += 2;
        this.#u32(to!, token);
        return this.#options.grpc?.({ root: ROOT, token, message: this.#read(at!, length!) }, this) ?? BAD_ARGUMENT;
      },
      proxy_get_shared_data: (key, length, toBytes, toLength, toVersion) => {
        const record = shared.get(this.#text(key!, length!));
        if (record === undefined) return NOT_FOUND;
        this.#u32(toVersion!, record.version);
        return this.#give(record.value, toBytes!, toLength!);
      },
      proxy_set_shared_data: (key, length, value, valueLength, version) =>
        shared.set(this.#text(key!, length!), Uint8Array.from(this.#read(value!, valueLength!)), version! >>> 0),
      random_get: (to) => {
        new DataView(this.#exports.memory.buffer).setBigUint64(to!, this.#options.random?.() ?? 7n, true);
        return 0;
      },
    };
    return functions;
  }

  #buffer(buffer: number): Buffer | undefined {
    if (buffer === 0) return this.#stream().request;
    if (buffer === 1) return this.#stream().reply;
    if (buffer === 5) return Buffer.from(this.#message);
    return buffer === 7 ? Buffer.from(this.#options.configuration) : undefined;
  }
}
