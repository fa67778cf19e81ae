/** A function of a policy to the bytes of a module's code section. WebAssembly Core Specification §5.4 and §5.5.13. */
import { invariant } from '../plan/invariant.ts';
import type { Code, ResultType, ValueType } from './instructions.ts';
import { pushSigned, pushSignedWide, pushUnsigned } from './leb128.ts';

export interface WasmFunction {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly result: ResultType;
  /** Its locals behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I32_CONST = 0x41;
const I64_CONST = 0x42;

/** Locals and instructions, without their length in front. `indexOf` says which function a name calls. */
export function encodeFunction(fn: WasmFunction, indexOf: (name: string) => number): Uint8Array {
  const writer = new BodyWriter(indexOf);
  writer.locals(fn.locals);
  writer.write(fn.body);
  return writer.end();
}

class BodyWriter {
  readonly #bytes: number[] = [];
  readonly #indexOf: (name: string) => number;
  /** Of the blocks around the place that is written, the innermost last. */
  readonly #labels: (string | null)[] = [];
  /** Where the last instruction begins, when it sets a local and nothing can branch to behind it. */
  #set: { readonly at: number; readonly local: number } | null = null;

  constructor(indexOf: (name: string) => number) {
    this.#indexOf = indexOf;
  }

  /** Runs of one type. */
  locals(types: readonly ValueType[]): void {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of types) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    pushUnsigned(this.#bytes, runs.length);
    for (const { type, count } of runs) {
      pushUnsigned(this.#bytes, count);
      this.#bytes.push(type);
    }
  }

  end(): Uint8Array {
    this.#op(END);
    return Uint8Array.from(this.#bytes);
  }

  write(code: Code): void {
    switch (code.kind) {
      case 'plain':
        code.operands.forEach((operand) => this.write(operand));
        return this.#op(code.opcode);
      case 'i32.const':
        this.#op(I32_CONST);
        return pushSigned(this.#bytes, code.value);
      case 'i64.const':
        this.#op(I64_CONST);
        return pushSignedWide(this.#bytes, code.value);
      case 'memory':
        code.operands.forEach((operand) => this.write(operand));
        this.#op(code.opcode);
        pushUnsigned(this.#bytes, Math.log2(code.access.align));
        return pushUnsigned(this.#bytes, code.access.offset);
      case 'local.get':
        return this.#get(code.local);
      case 'local.set':
        this.write(code.value);
        return this.#setLocal(code.local);
      case 'call':
        code.operands.forEach((operand) => this.write(operand));
        this.#op(CALL);
        return pushUnsigned(this.#bytes, this.#indexOf(code.name));
      case 'block':
        // Without a label nothing branches to its end: its children can stand where it stands.
        if (code.label === null) return code.children.forEach((child) => this.write(child));
        return this.#nested(BLOCK, code.type, code.label, () => code.children.forEach((child) => this.write(child)));
      case 'loop':
        return this.#nested(LOOP, code.type, code.label, () => this.write(code.body));
      case 'if':
        this.write(code.condition);
        return this.#nested(IF, code.type, null, () => {
          this.write(code.then);
          if (code.otherwise === undefined) return;
          this.#op(ELSE);
          this.write(code.otherwise);
        });
      case 'br':
        if (code.condition !== undefined) this.write(code.condition);
        this.#op(code.condition === undefined ? BR : BR_IF);
        return pushUnsigned(this.#bytes, this.#depthOf(code.label));
    }
  }

  #op(opcode: number): void {
    this.#set = null;
    this.#bytes.push(opcode);
  }

  #nested(opcode: number, type: ResultType, label: string | null, inside: () => void): void {
    this.#op(opcode);
    this.#bytes.push(type);
    this.#labels.push(label);
    inside();
    this.#labels.pop();
    this.#op(END);
  }

  #depthOf(label: string): number {
    const at = this.#labels.lastIndexOf(label);
    invariant(at !== -1, `the label ${label} is around its branch`);
    return this.#labels.length - 1 - at;
  }

  #setLocal(local: number): void {
    const at = this.#bytes.length;
    this.#op(LOCAL_SET);
    pushUnsigned(this.#bytes, local);
    this.#set = { at, local };
  }

  /** A local that is read just after it is set keeps its value on the stack instead. */
  #get(local: number): void {
    if (this.#set?.local === local) {
      this.#bytes[this.#set.at] = LOCAL_TEE;
      this.#set = null;
      return;
    }
    this.#op(LOCAL_GET);
    pushUnsigned(this.#bytes, local);
  }
}
