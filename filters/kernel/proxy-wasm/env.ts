/**
 * What Envoy gives a filter: module `env` of the proxy-wasm ABI 0.2.1, as far as it is used. AssemblyScript names an
 * import after its file and its function. Each answers a status (STATUS_OK in host.ts); an address and a length name
 * bytes, `to…` are addresses at which the host writes an address or a number. `random_get` is WASI's: the linker gives
 * it its module's name.
 */
export declare function proxy_get_current_time_nanoseconds(toTime: usize): i32;
export declare function proxy_set_effective_context(context: u32): i32;
export declare function proxy_get_buffer_bytes(
  buffer: i32,
  start: u32,
  most: u32,
  toBytes: usize,
  toLength: usize,
): i32;
export declare function proxy_set_buffer_bytes(buffer: i32, start: u32, replaced: u32, bytes: usize, length: u32): i32;
export declare function proxy_get_header_map_pairs(map: i32, toBytes: usize, toLength: usize): i32;
export declare function proxy_get_header_map_value(
  map: i32,
  name: usize,
  nameLength: u32,
  toBytes: usize,
  toLength: usize,
): i32;
export declare function proxy_replace_header_map_value(
  map: i32,
  name: usize,
  nameLength: u32,
  value: usize,
  valueLength: u32,
): i32;
export declare function proxy_remove_header_map_value(map: i32, name: usize, nameLength: u32): i32;
export declare function proxy_send_local_response(
  status: u32,
  details: usize,
  detailsLength: u32,
  body: usize,
  bodyLength: u32,
  headers: usize,
  headersLength: u32,
  grpcStatus: i32,
): i32;
export declare function proxy_continue_stream(stream: i32): i32;
export declare function proxy_close_stream(stream: i32): i32;
export declare function proxy_http_call(
  cluster: usize,
  clusterLength: u32,
  headers: usize,
  headersLength: u32,
  body: usize,
  bodyLength: u32,
  trailers: usize,
  trailersLength: u32,
  milliseconds: u32,
  toToken: usize,
): i32;
export declare function proxy_define_metric(type: i32, name: usize, nameLength: u32, toId: usize): i32;
export declare function proxy_increment_metric(id: u32, offset: i64): i32;
export declare function proxy_get_property(path: usize, pathLength: u32, toBytes: usize, toLength: usize): i32;
export declare function proxy_set_property(path: usize, pathLength: u32, value: usize, valueLength: u32): i32;
export declare function proxy_set_tick_period_milliseconds(milliseconds: u32): i32;
export declare function proxy_grpc_call(
  service: usize,
  serviceLength: u32,
  name: usize,
  nameLength: u32,
  method: usize,
  methodLength: u32,
  metadata: usize,
  metadataLength: u32,
  message: usize,
  messageLength: u32,
  milliseconds: u32,
  toToken: usize,
): i32;
export declare function proxy_get_shared_data(
  key: usize,
  keyLength: u32,
  toBytes: usize,
  toLength: usize,
  toVersion: usize,
): i32;
export declare function proxy_set_shared_data(
  key: usize,
  keyLength: u32,
  value: usize,
  valueLength: u32,
  version: u32,
): i32;
export declare function random_get(bytes: usize, length: u32): i32;
