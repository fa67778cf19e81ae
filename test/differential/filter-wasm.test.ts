// The second law for `filter.wasm`: what governs traffic decides as the interpreter does.
import { checkBackend } from './check-backend.ts';
import { filterWasmBackend } from './wasm-backends.ts';

checkBackend(filterWasmBackend(1_000));
