/**
 * What `filter.wasm` exports. Both doors run the same module: the ext_proc door's host calls the sessions, Envoy calls
 * the proxy-wasm ABI, which drives the same sessions.
 */
import { unpackTables } from './unpack';

export * from './session';
export * from './proxy-wasm/exports';
export * from './proxy-wasm/connections';

// When the module is instantiated.
unpackTables();
