/**
 * The kernel of `policy.wasm`: OPA's WASM ABI 1.3 around `decide`. Any OPA SDK loads it. One entrypoint,
 * `writ/decision`; no builtins; `data` is accepted and not read. It shares the decision code with the sessions' kernel
 * and has no other: no body is parsed here.
 */
import { put, writeDecision } from './decision/render';
import { decideText } from './opa/decide-text';
import { abortWith, Heap, heap, heapTop, setHeapTop } from './opa/heap';
import { addPath, removePath } from './opa/paths';
import { dumpJson, dumpValue, lengthOf, parseJson, parseValue, resultOf, textOf, valueOf } from './opa/values';

export const opa_wasm_abi_version: i32 = 1;
export const opa_wasm_abi_minor_version: i32 = 3;

const ENTRYPOINT: i32 = 0;
const FORMAT_JSON: i32 = 0;

// ------------------------------------------------------------------------------------------------------------- the
// fast path

/**
 * Input is text at `input` (0 bytes: undefined), parsed here; `format` 0 answers JSON, 1 a Rego value. The answer is
 * NUL-terminated. `data` is a value, and not read.
 */
export function opa_eval(
  reserved: i32,
  entrypoint: i32,
  _data: usize,
  input: usize,
  length: u32,
  heapPointer: usize,
  format: i32,
): usize {
  if (reserved != 0) abortWith('invalid reserved argument');
  if (entrypoint != ENTRYPOINT) abortWith('unknown entrypoint');
  setHeapTop(heapPointer);
  const result = decideText(input, length);
  const start = heapTop();
  const out = heap();
  put<Heap>(out, format == FORMAT_JSON ? '[{"result":' : '{{"result":');
  writeDecision<Heap>(result, out);
  put<Heap>(out, format == FORMAT_JSON ? '}]' : '}}');
  out.push(0);
  return start;
}

// ------------------------------------------------------------------------------------------------------- evaluation
// contexts

const CONTEXT_INPUT: u32 = 0;
const CONTEXT_DATA: u32 = 4;
const CONTEXT_ENTRYPOINT: u32 = 8;
const CONTEXT_RESULT: u32 = 12;
const CONTEXT_BYTES: u32 = 16;

export function opa_eval_ctx_new(): usize {
  const context = heap().take(CONTEXT_BYTES);
  memory.fill(context, 0, CONTEXT_BYTES);
  return context;
}

export function opa_eval_ctx_set_input(context: usize, value: usize): void {
  store<u32>(context, <u32>value, CONTEXT_INPUT);
}

export function opa_eval_ctx_set_data(context: usize, value: usize): void {
  store<u32>(context, <u32>value, CONTEXT_DATA);
}

export function opa_eval_ctx_set_entrypoint(context: usize, entrypoint: i32): void {
  store<i32>(context, entrypoint, CONTEXT_ENTRYPOINT);
}

export function opa_eval_ctx_get_result(context: usize): usize {
  return load<u32>(context, CONTEXT_RESULT);
}

export function eval(context: usize): i32 {
  if (load<i32>(context, CONTEXT_ENTRYPOINT) != ENTRYPOINT) abortWith('unknown entrypoint');
  const input = <usize>load<u32>(context, CONTEXT_INPUT);
  const result = decideText(input == 0 ? 0 : textOf(input), input == 0 ? 0 : lengthOf(input));
  const start = heapTop();
  writeDecision<Heap>(result, heap());
  store<u32>(context, <u32>resultOf(start, <u32>(heapTop() - start)), CONTEXT_RESULT);
  return 0;
}

export function entrypoints(): usize {
  return constant('{"writ/decision":0}');
}

export function builtins(): usize {
  return constant('{}');
}

function constant(json: string): usize {
  const start = heapTop();
  put<Heap>(heap(), json);
  return valueOf(start, <u32>(heapTop() - start));
}

// --------------------------------------------------------------------------------------------------------------------
// values

export function opa_json_parse(text: usize, length: u32): usize {
  return parseJson(text, length);
}

export function opa_value_parse(text: usize, length: u32): usize {
  return parseValue(text, length);
}

export function opa_json_dump(value: usize): usize {
  return dumpJson(value);
}

export function opa_value_dump(value: usize): usize {
  return dumpValue(value);
}

/** 0: done; 2: a value on the way is no object; 3: no path. */
export function opa_value_add_path(base: usize, path: usize, value: usize): i32 {
  return addPath(base, path, value);
}

export function opa_value_remove_path(base: usize, path: usize): i32 {
  return removePath(base, path);
}

// ----------------------------------------------------------------------------------------------------------------------
// heap

export function opa_malloc(size: u32): usize {
  return heap().take(size);
}

/** Nothing is freed one by one: the host moves the heap's pointer back. */
export function opa_free(_address: usize): void {}
export function opa_value_free(_value: usize): void {}
export function opa_heap_blocks_stash(): void {}
export function opa_heap_blocks_restore(): void {}
export function opa_heap_stash_clear(): void {}

export function opa_heap_ptr_get(): usize {
  return heapTop();
}

export function opa_heap_ptr_set(to: usize): void {
  setHeapTop(to);
}
