/** Every backend that is compared with the interpreter. */
import type { Backend } from "./backend.ts";
import { regoBackend } from "./rego-backend.ts";

export const BACKENDS: readonly Backend[] = [regoBackend(80)];
