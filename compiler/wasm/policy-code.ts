/**
 * What all generated code shares: the module, the plan, the tables that constants stand in, and the kernel's helpers.
 */
import { SLOT_BYTES, SLOT_STATE, SLOT_VALUE } from '../../filters/kernel/abi.ts';
import type { TableWriter } from '../tables/table-writer.ts';
import type { Plan } from '../plan/plan.ts';
import type { WasmFunction } from './encode-function.ts';
import { type Code, I32, instructions } from './instructions.ts';

/** Functions of filters/kernel/decision/exports.ts. */
export type Helper =
  | 'set_has'
  | 'sets_overlap'
  | 'set_within'
  | 'bits_have'
  | 'bits_overlap'
  | 'bits_within'
  | 'set_within_bits'
  | 'text_contains'
  | 'text_is'
  | 'in_hours'
  | 'worst_case';

export interface PolicyCode {
  readonly module: PolicyModule;
  readonly plan: Plan;
  readonly writer: TableWriter;
}

/** Instructions, and the functions that were made of them. */
export type PolicyModule = typeof instructions & {
  readonly functions: readonly WasmFunction[];
  addFunction(fn: WasmFunction): void;
};

export function policyModule(): PolicyModule {
  const functions: WasmFunction[] = [];
  return { ...instructions, functions, addFunction: (fn) => void functions.push(fn) };
}

/** Calls a helper that answers yes or no. */
export function ask(code: PolicyCode, helper: Helper, args: readonly Code[]): Code {
  return code.module.call(helper, args, I32);
}

/** The state byte of a slot. */
export function stateOf({ module }: PolicyCode, base: Code, slot: number): Code {
  return module.i32.load8_u(slot * SLOT_BYTES + SLOT_STATE, 1, base);
}

export function valueOf({ module }: PolicyCode, base: Code, slot: number): Code {
  return module.i64.load(slot * SLOT_BYTES + SLOT_VALUE, 8, base);
}

/** All of the conditions, each 0 or 1. */
export function every({ module }: PolicyCode, conditions: readonly Code[]): Code {
  if (conditions.length === 0) return module.i32.const(1);
  return conditions.reduce((left, right) => module.i32.and(left, right));
}

export function some({ module }: PolicyCode, conditions: readonly Code[]): Code {
  if (conditions.length === 0) return module.i32.const(0);
  return conditions.reduce((left, right) => module.i32.or(left, right));
}

/** 0 or 1 as the bit `at` of a word. */
export function asBit({ module }: PolicyCode, condition: Code, at: number): Code {
  const wide = module.i64.extend_u(condition);
  return at === 0 ? wide : module.i64.shl(wide, module.i64.const(BigInt(at)));
}

/** The constant where the condition (0 or 1) holds, else 0: without a branch. */
export function maskIf({ module }: PolicyCode, condition: Code, mask: bigint): Code {
  return module.i64.and(module.i64.sub(module.i64.const(0n), module.i64.extend_u(condition)), module.i64.const(mask));
}
