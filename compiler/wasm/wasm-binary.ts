/**
 * A WebAssembly module as its sections: as much of it read as linking needs, the rest kept as bytes. WebAssembly Core
 * Specification §5.5. It reads kernels that were built with this clone, so that what is not as expected is a
 * programmer's error.
 */
import { invariant } from '../plan/invariant.ts';
import { pushUnsigned, unsigned } from './leb128.ts';

/** Numbers of sections, §5.5.2. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;
/** The order of sections, in which the count of data segments stands before the code. */
const ORDER: readonly number[] = [
  ...[SECTION.type, SECTION.import, SECTION.function, SECTION.table, SECTION.memory, SECTION.global, SECTION.export],
  ...[SECTION.start, SECTION.element, SECTION.dataCount, SECTION.code, SECTION.data],
];

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export class BinaryReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.at];
    invariant(value !== undefined, 'the module is whole');
    this.at += 1;
    return value;
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  signed(): number {
    let value = 0;
    for (let shift = 0; ;) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte >= 0x80) continue;
      return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value;
    }
  }

  take(length: number): Uint8Array {
    invariant(this.at + length <= this.bytes.length, 'the module is whole');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.unsigned()));
  }

  /** The entries of a vector, each as the bytes that `skip` passes over. */
  entries(skip: () => void): Uint8Array[] {
    return Array.from({ length: this.unsigned() }, () => {
      const start = this.at;
      skip();
      return this.bytes.subarray(start, this.at);
    });
  }
}

/** Contents by number. Custom sections are left out: a kernel's names are of no use in a policy. */
export function readSections(wasm: Uint8Array): Map<number, Uint8Array> {
  const reader = new BinaryReader(wasm);
  invariant(
    HEADER.every((byte) => reader.byte() === byte),
    'the kernel is a module',
  );
  const sections = new Map<number, Uint8Array>();
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const content = reader.take(reader.unsigned());
    if (id === SECTION.custom) continue;
    invariant(ORDER.includes(id), `section ${id} is known`);
    sections.set(id, content);
  }
  return sections;
}

/** The sections in their order, and one custom section behind them. */
export function writeSections(
  sections: ReadonlyMap<number, Uint8Array>,
  custom: { readonly name: string; readonly content: Uint8Array },
): Uint8Array {
  const name = new TextEncoder().encode(custom.name);
  return concatenated([
    Uint8Array.from(HEADER),
    ...ORDER.flatMap((id) => {
      const content = sections.get(id);
      return content === undefined ? [] : [Uint8Array.of(id), ...sized(content)];
    }),
    Uint8Array.of(SECTION.custom),
    ...sized(concatenated([...sized(name), custom.content])),
  ]);
}

/** Entries with their count in front. */
export function vector(entries: readonly Uint8Array[]): Uint8Array {
  return concatenated([Uint8Array.from(unsigned(entries.length)), ...entries]);
}

/** Bytes with their length in front. */
export function sized(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [Uint8Array.from(unsigned(bytes.length)), bytes];
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Limits of a memory, in pages: §5.3.8. Without a maximum it may grow as far as there is memory. */
export function memoryLimits(pages: number, pagesMax: number | null): Uint8Array {
  const bytes = [pagesMax === null ? 0x00 : 0x01];
  pushUnsigned(bytes, pages);
  if (pagesMax !== null) pushUnsigned(bytes, pagesMax);
  return Uint8Array.from(bytes);
}
