// The second law for `policy.wasm`: in unmodified npm-opa-wasm it says what the interpreter says.
import { checkBackend } from './check-backend.ts';
import { policyWasmBackend } from './wasm-backends.ts';

checkBackend(policyWasmBackend(1_000));
