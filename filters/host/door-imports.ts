/**
 * What a filter imports of Envoy, where it does not run in Envoy: the sessions never call it, so each function answers
 * that it is not there. Functions alone: a module that wants more is none of ours.
 */
import { FilterError } from './filter-error.ts';

/** `unimplemented`, in proxy-wasm's words. */
const UNIMPLEMENTED = 12;

export function doorImports(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new FilterError('load', 'the module is not a filter');
    (imports[from] ??= {})[name] = () => UNIMPLEMENTED;
  }
  return imports;
}
