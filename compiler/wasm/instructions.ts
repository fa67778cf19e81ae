/**
 * The instructions of which a policy's functions are made, as trees: an operand is a child. What a tree becomes in a
 * module stands in encode-function.ts. Only what policies need is here. Numbers are opcodes of the WebAssembly Core
 * Specification, §5.4.
 */
export const I32 = 0x7f;
export const I64 = 0x7e;
/** The type of what leaves no value: the block type of §5.4.1. */
export const NONE = 0x40;
export type ValueType = typeof I32 | typeof I64;
export type ResultType = ValueType | typeof NONE;

/** An expression, or a statement where its type is NONE. */
export type Code = { readonly type: ResultType } & (
  | { readonly kind: 'plain'; readonly opcode: number; readonly operands: readonly Code[] }
  | { readonly kind: 'i32.const'; readonly value: number }
  | { readonly kind: 'i64.const'; readonly value: bigint }
  | { readonly kind: 'memory'; readonly opcode: number; readonly access: Access; readonly operands: readonly Code[] }
  | { readonly kind: 'local.get'; readonly local: number }
  | { readonly kind: 'local.set'; readonly local: number; readonly value: Code }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly Code[] }
  | { readonly kind: 'block'; readonly label: string | null; readonly children: readonly Code[] }
  | { readonly kind: 'loop'; readonly label: string; readonly body: Code }
  | { readonly kind: 'if'; readonly condition: Code; readonly then: Code; readonly otherwise: Code | undefined }
  | { readonly kind: 'br'; readonly label: string; readonly condition: Code | undefined }
);

interface Access {
  /** Added to the address. */
  readonly offset: number;
  /** Bytes, a power of two: a hint. */
  readonly align: number;
}

const plain = (opcode: number, type: ResultType, ...operands: readonly Code[]): Code => ({
  kind: 'plain',
  opcode,
  type,
  operands,
});
const unary =
  (opcode: number, type: ValueType) =>
  (operand: Code): Code =>
    plain(opcode, type, operand);
const binary =
  (opcode: number, type: ValueType) =>
  (left: Code, right: Code): Code =>
    plain(opcode, type, left, right);
const load =
  (opcode: number, type: ValueType) =>
  (offset: number, align: number, address: Code): Code => ({
    kind: 'memory',
    type,
    opcode,
    access: { offset, align },
    operands: [address],
  });
const store =
  (opcode: number) =>
  (offset: number, align: number, address: Code, value: Code): Code => ({
    kind: 'memory',
    type: NONE,
    opcode,
    access: { offset, align },
    operands: [address, value],
  });

const i32 = {
  const: (value: number): Code => ({ kind: 'i32.const', type: I32, value }),
  load: load(0x28, I32),
  load8_u: load(0x2d, I32),
  store: store(0x36),
  store8: store(0x3a),
  eqz: unary(0x45, I32),
  eq: binary(0x46, I32),
  ne: binary(0x47, I32),
  gt_s: binary(0x4a, I32),
  ge_s: binary(0x4e, I32),
  add: binary(0x6a, I32),
  sub: binary(0x6b, I32),
  mul: binary(0x6c, I32),
  and: binary(0x71, I32),
  or: binary(0x72, I32),
  shl: binary(0x74, I32),
  wrap: unary(0xa7, I32),
};

const i64 = {
  /** Of any value, its low 64 bits. */
  const: (value: bigint): Code => ({ kind: 'i64.const', type: I64, value: BigInt.asIntN(64, value) }),
  load: load(0x29, I64),
  store: store(0x37),
  eqz: unary(0x50, I32),
  eq: binary(0x51, I32),
  ne: binary(0x52, I32),
  lt_s: binary(0x53, I32),
  gt_s: binary(0x55, I32),
  le_s: binary(0x57, I32),
  /** For a fault that test/differential plants. */
  le_u: binary(0x58, I32),
  ge_s: binary(0x59, I32),
  ctz: unary(0x7a, I64),
  add: binary(0x7c, I64),
  sub: binary(0x7d, I64),
  mul: binary(0x7e, I64),
  and: binary(0x83, I64),
  or: (left: Code, right: Code): Code => (isZero(left) ? right : isZero(right) ? left : plain(0x84, I64, left, right)),
  xor: binary(0x85, I64),
  shl: binary(0x86, I64),
  shr_s: binary(0x87, I64),
  shr_u: binary(0x88, I64),
  extend_s: unary(0xac, I64),
  extend_u: unary(0xad, I64),
};

/** `x | 0`, which masks begin with. */
function isZero(code: Code): boolean {
  return code.kind === 'i64.const' && code.value === 0n;
}

export const instructions = {
  i32,
  i64,
  local: {
    get: (local: number, type: ValueType): Code => ({ kind: 'local.get', type, local }),
    set: (local: number, value: Code): Code => ({ kind: 'local.set', type: NONE, local, value }),
  },
  nop: (): Code => plain(0x01, NONE),
  /** Both values are computed. */
  select: (condition: Code, then: Code, otherwise: Code): Code => plain(0x1b, then.type, then, otherwise, condition),
  call: (name: string, operands: readonly Code[], type: ResultType): Code => ({ kind: 'call', type, name, operands }),
  /** Its value is its last child's. A branch to its label leaves it. */
  block: (label: string | null, children: readonly Code[]): Code => ({
    kind: 'block',
    type: children.at(-1)?.type ?? NONE,
    label,
    children,
  }),
  /** A branch to its label begins it anew. */
  loop: (label: string, body: Code): Code => ({ kind: 'loop', type: NONE, label, body }),
  if: (condition: Code, then: Code, otherwise?: Code): Code => ({
    kind: 'if',
    type: otherwise === undefined ? NONE : then.type,
    condition,
    then,
    otherwise,
  }),
  br: (label: string): Code => ({ kind: 'br', type: NONE, label, condition: undefined }),
  br_if: (label: string, condition: Code): Code => ({ kind: 'br', type: NONE, label, condition }),
};
