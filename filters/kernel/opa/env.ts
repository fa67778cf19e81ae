/**
 * What an OPA host gives: module `env` of OPA's WASM ABI. AssemblyScript names an import after its file and its
 * function.
 */

/** Ends the evaluation; `message` is a text that ends with a zero byte. */
export declare function opa_abort(message: usize): void;
