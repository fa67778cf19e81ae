/**
 * A kernel that policies are linked into, as filters/kernel/linkable.ts leaves it: what of it a link needs to know, and
 * the module that it becomes when a policy's functions, constants and data are put in. No function of the kernel is
 * read, moved or written anew, so that a link costs what the policy is large, not what the kernel is.
 */
import { invariant } from '../plan/invariant.ts';
import { encodeFunction, type WasmFunction } from './encode-function.ts';
import { I32, NONE } from './instructions.ts';
import { pushSigned, pushUnsigned, unsigned } from './leb128.ts';
import {
  BinaryReader,
  concatenated,
  memoryLimits,
  readSections,
  SECTION,
  sized,
  vector,
  writeSections,
} from './wasm-binary.ts';

export interface Kernel {
  readonly sections: ReadonlyMap<number, Uint8Array>;
  /** Functions that it imports; they are numbered before its own. */
  readonly importedFunctions: number;
  readonly importsMemory: boolean;
  /** Of its own functions, their bodies in order. */
  readonly bodies: readonly Uint8Array[];
  readonly globals: readonly Uint8Array[];
  readonly exports: readonly KernelExport[];
}

interface KernelExport {
  readonly name: string;
  /** FUNCTION, GLOBAL or another of §5.5.10. */
  readonly kind: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** What a policy adds. */
export interface Addition {
  /** The first is `decide`: it stands in the place of the kernel's own, which does nothing. */
  readonly functions: readonly WasmFunction[];
  /** Values of the kernel's exports `policy_NAME`, by NAME; what a kernel does not ask for is left out. */
  readonly constants: { readonly [name: string]: number };
  readonly data: readonly Data[];
  readonly memory: { readonly pages: number; readonly pagesMax: number | null };
  readonly section: { readonly name: string; readonly content: Uint8Array };
}

export interface Data {
  readonly address: number;
  readonly bytes: Uint8Array;
}

const FUNCTION = 0x00;
const MEMORY = 0x02;
const GLOBAL = 0x03;
const FUNCTION_TYPE = 0x60;
const I32_CONST = 0x41;
const END = 0x0b;
const IMMUTABLE = 0x00;
/** An active segment of memory 0, §5.5.14. */
const ACTIVE = 0x00;
/** Exports that a policy is linked by: they end with the link. */
const LINKED_BY = /^(policy|decision)_/;
const HELPER_PREFIX = 'decision_';
const CONSTANT_PREFIX = 'policy_';
const DECIDE = 'policy_decide';
const HEAP_BASE = 'policy_heapBase';

export function readKernel(wasm: Uint8Array): Kernel {
  const sections = readSections(wasm);
  const imports = importsOf(reading(sections, SECTION.import));
  const code = reading(sections, SECTION.code);
  const globals = reading(sections, SECTION.global);
  return {
    sections,
    importedFunctions: imports.filter(({ kind }) => kind === FUNCTION).length,
    importsMemory: imports.some(({ kind }) => kind === MEMORY),
    bodies: code.entries(() => void code.take(code.unsigned())),
    globals: globals.entries(() => skipGlobal(globals)),
    exports: exportsOf(reading(sections, SECTION.export)),
  };
}

/** First byte behind the kernel's static data. */
export function heapBase(kernel: Kernel): number {
  const entry = new BinaryReader(kernel.globals[indexOf(kernel, HEAP_BASE, GLOBAL)]!);
  entry.take(2);
  invariant(entry.byte() === I32_CONST, 'the heap base is a constant');
  return entry.signed();
}

/** Whether the constant `policy_NAME` is read. */
export function asksFor(kernel: Kernel, constant: string): boolean {
  return kernel.exports.some(({ name, kind }) => kind === GLOBAL && name === `${CONSTANT_PREFIX}${constant}`);
}

export function withPolicy(kernel: Kernel, addition: Addition): Uint8Array {
  const sections = new Map(kernel.sections);
  const [decide, ...others] = addition.functions;
  invariant(decide !== undefined, 'a policy decides');
  const decideIndex = indexOf(kernel, DECIDE, FUNCTION);
  const functions = kernel.importedFunctions + kernel.bodies.length;
  const indices = new Map(others.map(({ name }, at) => [name, functions + at]));
  const callee = (name: string): number => indices.get(name) ?? indexOf(kernel, `${HELPER_PREFIX}${name}`, FUNCTION);
  const encode = (fn: WasmFunction): Uint8Array => concatenated(sized(encodeFunction(fn, callee)));

  const types = typesFor(reading(kernel.sections, SECTION.type), others);
  sections.set(SECTION.type, vector(types.entries));
  sections.set(
    SECTION.function,
    longer(
      kernel.sections.get(SECTION.function),
      types.used.map((type) => Uint8Array.from(unsigned(type))),
    ),
  );
  sections.set(
    SECTION.code,
    vector([...kernel.bodies.with(decideIndex - kernel.importedFunctions, encode(decide)), ...others.map(encode)]),
  );
  sections.set(SECTION.global, vector(globalsWith(kernel, addition.constants)));
  sections.set(
    SECTION.export,
    vector(kernel.exports.filter(({ name }) => !LINKED_BY.test(name)).map(({ bytes }) => bytes)),
  );
  setMemory(sections, kernel, addition.memory);
  const data = addition.data.map(segment);
  sections.set(SECTION.data, longer(kernel.sections.get(SECTION.data), data));
  const dataCount = kernel.sections.get(SECTION.dataCount);
  if (dataCount !== undefined)
    sections.set(SECTION.dataCount, Uint8Array.from(unsigned(new BinaryReader(dataCount).unsigned() + data.length)));
  return writeSections(sections, addition.section);
}

// ---------------------------------------------------------------------------------------------------------------------
// reading

function reading(sections: ReadonlyMap<number, Uint8Array>, id: number): BinaryReader {
  return new BinaryReader(sections.get(id) ?? Uint8Array.of(0));
}

function indexOf({ exports }: Kernel, name: string, kind: number): number {
  const found = exports.find((each) => each.name === name && each.kind === kind);
  invariant(found !== undefined, `the kernel exports ${name}`);
  return found.index;
}

interface Import {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

function importsOf(reader: BinaryReader): readonly Import[] {
  const kinds: number[] = [];
  const entries = reader.entries(() => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    kinds.push(kind);
    invariant(kind === FUNCTION || kind === MEMORY, 'a kernel imports functions and a memory');
    if (kind === FUNCTION) reader.unsigned();
    else skipLimits(reader);
  });
  return entries.map((bytes, at) => ({ bytes, kind: kinds[at]! }));
}

function skipLimits(reader: BinaryReader): void {
  const hasMaximum = reader.byte() === 0x01;
  reader.unsigned();
  if (hasMaximum) reader.unsigned();
}

function skipGlobal(reader: BinaryReader): void {
  reader.take(2);
  // Constants are in LEB128, but for those of floating point, of which kernels have none.
  const opcode = reader.byte();
  invariant(opcode === I32_CONST || opcode === 0x42, 'a global begins as an integer');
  while (reader.byte() >= 0x80);
  invariant(reader.byte() === END, 'a global begins as a constant');
}

function exportsOf(reader: BinaryReader): readonly KernelExport[] {
  const found: Omit<KernelExport, 'bytes'>[] = [];
  const entries = reader.entries(() => {
    found.push({ name: reader.name(), kind: reader.byte(), index: reader.unsigned() });
  });
  return entries.map((bytes, at) => ({ ...found[at]!, bytes }));
}

// ---------------------------------------------------------------------------------------------------------------------
// writing

/** All types, and of each function the number of its own. */
function typesFor(
  reader: BinaryReader,
  functions: readonly WasmFunction[],
): { readonly entries: readonly Uint8Array[]; readonly used: readonly number[] } {
  const entries = reader.entries(() => {
    invariant(reader.byte() === FUNCTION_TYPE, 'a kernel has types of functions only');
    reader.take(reader.unsigned());
    reader.take(reader.unsigned());
  });
  const numbers = new Map(entries.map((bytes, at) => [bytes.join(), at]));
  const used = functions.map(({ params, result }) => {
    const results = result === NONE ? [] : [result];
    const bytes = Uint8Array.of(FUNCTION_TYPE, ...unsigned(params.length), ...params, results.length, ...results);
    const number = numbers.get(bytes.join()) ?? entries.length;
    if (number === entries.length) entries.push(bytes);
    numbers.set(bytes.join(), number);
    return number;
  });
  return { entries, used };
}

function globalsWith(kernel: Kernel, constants: Addition['constants']): readonly Uint8Array[] {
  const globals = [...kernel.globals];
  for (const { name, kind, index } of kernel.exports) {
    const value = constants[name.slice(CONSTANT_PREFIX.length)];
    if (kind !== GLOBAL || !name.startsWith(CONSTANT_PREFIX) || value === undefined) continue;
    const bytes: number[] = [I32, IMMUTABLE, I32_CONST];
    pushSigned(bytes, value);
    globals[index] = Uint8Array.from([...bytes, END]);
  }
  return globals;
}

/** The memory keeps its place: the kernel's own, or its import. */
function setMemory(sections: Map<number, Uint8Array>, kernel: Kernel, { pages, pagesMax }: Addition['memory']): void {
  const limits = memoryLimits(pages, pagesMax);
  if (!kernel.importsMemory) {
    sections.set(SECTION.memory, vector([limits]));
    return;
  }
  const imports = importsOf(reading(kernel.sections, SECTION.import)).map(({ kind, bytes }) => {
    if (kind !== MEMORY) return bytes;
    const reader = new BinaryReader(bytes);
    reader.name();
    reader.name();
    return concatenated([bytes.subarray(0, reader.at), Uint8Array.of(MEMORY), limits]);
  });
  sections.set(SECTION.import, vector(imports));
}

function segment({ address, bytes }: Data): Uint8Array {
  const head: number[] = [ACTIVE, I32_CONST];
  pushSigned(head, address);
  head.push(END);
  pushUnsigned(head, bytes.length);
  return concatenated([Uint8Array.from(head), bytes]);
}

/** A vector with more entries behind those that it has. */
function longer(content: Uint8Array | undefined, more: readonly Uint8Array[]): Uint8Array {
  const reader = new BinaryReader(content ?? Uint8Array.of(0));
  const count = reader.unsigned();
  return concatenated([Uint8Array.from(unsigned(count + more.length)), reader.bytes.subarray(reader.at), ...more]);
}
