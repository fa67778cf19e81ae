// A proxy-wasm filter (ABI 0.2.1) that is called for everything and does nothing: what Envoy's call into wasm costs by
// itself.
import binaryen from 'binaryen';

const CONTINUE = 0;

/** Callbacks of a stream, with their numbers of parameters; each continues. */
const callbacks: Readonly<Record<string, number>> = {
  proxy_on_request_headers: 3,
  proxy_on_request_body: 3,
  proxy_on_request_trailers: 2,
  proxy_on_response_headers: 3,
  proxy_on_response_body: 3,
  proxy_on_response_trailers: 2,
};

export function noopWasm(): Uint8Array {
  const { i32, none, createType } = binaryen;
  const module = new binaryen.Module();
  module.setFeatures(binaryen.Features.MVP);
  const define = (name: string, parameters: number, result?: number): void => {
    module.addFunction(
      name,
      createType(Array.from({ length: parameters }, () => i32)),
      result === undefined ? none : i32,
      [],
      result === undefined ? module.nop() : module.i32.const(result),
    );
    module.addFunctionExport(name, name);
  };
  define('proxy_abi_version_0_2_1', 0);
  // Nothing is ever handed over: no callback asks for anything.
  define('proxy_on_memory_allocate', 1, 0);
  for (const [name, parameters] of Object.entries(callbacks)) define(name, parameters, CONTINUE);
  define('proxy_on_log', 1);
  module.setMemory(1, 1, 'memory');
  try {
    if (module.validate() === 0) throw new Error('the wasm of the filter that does nothing is not valid');
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
