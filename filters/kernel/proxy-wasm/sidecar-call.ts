/** One unary gRPC call over the sidecar's socket, of whichever of its services. */
import { proxy_grpc_call } from './env';
import { STATUS_OK } from './host';

/** GrpcService with envoy_grpc.cluster_name: the sidecar's socket. */
const TARGET: string = '\n\x0e\n\x0cwrit_sidecar';
/** Where the target, the service's name and the method's stand while the call is made. */
const target: usize = memory.data(16, 8);
const name: usize = memory.data(64, 8);
const method: usize = memory.data(32, 8);
const token: usize = memory.data(4, 4);

/** Of the call that was made last. */
export let sidecarToken: u32 = 0;

/** Whether the call is out. */
export function sendToSidecar(
  service: string,
  rpc: string,
  message: usize,
  messageBytes: u32,
  milliseconds: u32,
): bool {
  const status = proxy_grpc_call(
    write(target, TARGET),
    <u32>TARGET.length,
    write(name, service),
    <u32>service.length,
    write(method, rpc),
    <u32>rpc.length,
    0,
    0,
    message,
    messageBytes,
    milliseconds,
    token,
  );
  sidecarToken = load<u32>(token);
  return status == STATUS_OK;
}

function write(to: usize, text: string): usize {
  for (let i: u32 = 0; i < <u32>text.length; i += 1)
    store<u8>(to + i, <u8>load<u16>(changetype<usize>(text) + (i << 1)));
  return to;
}
