/**
 * Coverage for a wasm module: a counter of one byte at the start of each function, of each arm of an `if`, of each loop
 * and behind each `br_if`, in a second memory that is exported as `coverage`. The module does what it did; only MVP
 * instructions, bulk memory, sign extension and SIMD are known, which is what the kernel is made of.
 * Encoding: WebAssembly 3.0, chapter 5.
 */

const SECTION_MEMORY = 5;
const SECTION_EXPORT = 7;
const SECTION_CODE = 10;
const PAGE_BYTES = 65_536;

export interface Instrumented {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Counters, from address 0 of `coverage`. */
  readonly points: number;
}

export function instrument(wasm: Uint8Array): Instrumented {
  const reader = new Reader(wasm);
  const out = new Writer();
  out.bytes(reader.take(8));
  let points = 0;
  const sections: { readonly id: number; readonly content: Uint8Array }[] = [];
  while (!reader.done) {
    const id = reader.byte();
    const content = reader.take(reader.u32());
    if (id !== SECTION_CODE) {
      sections.push({ id, content });
      continue;
    }
    const code = instrumentCode(content);
    points = code.points;
    sections.push({ id, content: code.content });
  }
  for (const { id, content } of sections) {
    const changed =
      id === SECTION_MEMORY ? withMemory(content, points) : id === SECTION_EXPORT ? withExport(content) : content;
    out.byte(id);
    out.u32(changed.length);
    out.bytes(changed);
  }
  return { wasm: out.done(), points };
}

function withMemory(content: Uint8Array, points: number): Uint8Array {
  const reader = new Reader(content);
  const count = reader.u32();
  if (count !== 1) throw new Error('the module has one memory of its own');
  const out = new Writer();
  out.u32(2);
  out.bytes(reader.rest());
  out.byte(0);
  out.u32(Math.ceil(points / PAGE_BYTES));
  return out.done();
}

function withExport(content: Uint8Array): Uint8Array {
  const reader = new Reader(content);
  const out = new Writer();
  out.u32(reader.u32() + 1);
  out.bytes(reader.rest());
  const name = new TextEncoder().encode('coverage');
  out.u32(name.length);
  out.bytes(name);
  out.byte(2);
  out.u32(1);
  return out.done();
}

function instrumentCode(content: Uint8Array): { readonly content: Uint8Array; readonly points: number } {
  const reader = new Reader(content);
  const out = new Writer();
  const functions = reader.u32();
  out.u32(functions);
  let points = 0;
  for (let i = 0; i < functions; i += 1) {
    const body = new Reader(reader.take(reader.u32()));
    const written = new Writer();
    const groups = body.u32();
    written.u32(groups);
    for (let group = 0; group < groups; group += 1) {
      written.u32(body.u32());
      written.byte(body.byte());
    }
    written.count(points++);
    while (!body.done) {
      const from = body.at;
      const opcode = body.byte();
      skipImmediates(body, opcode);
      written.bytes(body.since(from));
      if (opcode === 0x03 || opcode === 0x04 || opcode === 0x05 || opcode === 0x0d) written.count(points++);
    }
    const bytes = written.done();
    out.u32(bytes.length);
    out.bytes(bytes);
  }
  return { content: out.done(), points };
}

function skipImmediates(reader: Reader, opcode: number): void {
  if (opcode >= 0x28 && opcode <= 0x3e) return memoryArgument(reader);
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  switch (opcode) {
    // block, loop, if: a block type; br, br_if, call, locals and globals, ref.func: an index; memory.size and .grow: a
    // memory; i32.const, i64.const: a number.
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x12:
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23:
    case 0x24:
    case 0x3f:
    case 0x40:
    case 0x41:
    case 0x42:
    case 0xd2:
      return reader.leb();
    case 0x0e:
      for (let count = reader.u32() + 1; count > 0; count -= 1) reader.leb();
      return;
    case 0x11:
      reader.leb();
      return reader.leb();
    case 0x1c:
      return void reader.take(reader.u32());
    case 0x43:
      return void reader.take(4);
    case 0x44:
      return void reader.take(8);
    case 0xfc:
      return skipBulk(reader);
    case 0xfd:
      return skipSimd(reader);
    // unreachable, nop, else, end, return, drop, select
    case 0x00:
    case 0x01:
    case 0x05:
    case 0x0b:
    case 0x0f:
    case 0x1a:
    case 0x1b:
      return;
  }
  throw new Error(`an instruction that is not known: ${opcode.toString(16)}`);
}

function skipBulk(reader: Reader): void {
  const opcode = reader.u32();
  if (opcode <= 7) return;
  // memory.init and memory.copy have two indices, data.drop and memory.fill one.
  if (opcode > 11) throw new Error(`an instruction that is not known: fc ${opcode}`);
  reader.leb();
  if (opcode === 8 || opcode === 10) reader.leb();
}

function skipSimd(reader: Reader): void {
  const opcode = reader.u32();
  if (opcode <= 11 || opcode === 92 || opcode === 93) return memoryArgument(reader);
  if (opcode === 12 || opcode === 13) return void reader.take(16);
  if (opcode >= 21 && opcode <= 34) return void reader.byte();
  if (opcode >= 84 && opcode <= 91) {
    memoryArgument(reader);
    reader.byte();
  }
}

function memoryArgument(reader: Reader): void {
  reader.leb();
  reader.leb();
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error('the module ends in the middle');
    return byte;
  }

  /** Of at most 32 bits, unsigned. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** A number of any width, passed over. */
  leb(): void {
    while (this.byte() >= 0x80);
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.at);
  }

  since(from: number): Uint8Array {
    return this.#bytes.subarray(from, this.at);
  }
}

class Writer {
  #bytes = new Uint8Array(4096);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 128)) this.byte((left % 128) | 0x80);
    this.byte(left);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Adds one to the counter of a point: `coverage[point] += 1`. */
  count(point: number): void {
    // i32.const 0, i32.const 0, i32.load8_u, i32.const 1, i32.add, i32.store8; bit 6 of the alignment names a memory.
    this.bytes(Uint8Array.of(0x41, 0, 0x41, 0, 0x2d, 0x40, 1));
    this.u32(point);
    this.bytes(Uint8Array.of(0x41, 1, 0x6a, 0x3a, 0x40, 1));
    this.u32(point);
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
