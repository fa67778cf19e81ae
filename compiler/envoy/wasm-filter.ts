/**
 * The filter that runs in Envoy. The bundle names it without its bytes: the sidecar puts in the verified `filter.wasm`,
 * the policy set's name as `vm_id`, and the revision. What was found by experiment on Envoy 1.40:
 *
 * - Without `allow_on_headers_stop_iteration` a filter that holds the headers gets no body, and every request hangs.
 * - FAIL_RELOAD is the one policy under which a VM that has failed comes back; until then requests get 503.
 * - Only inline code is safe: a bad module is then refused, and the old one keeps serving.
 * - Until the filter has come, the default denies: every request gets 403.
 */
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { StringValueSchema, anyPack } from '@bufbuild/protobuf/wkt';
import { RBAC_Action } from '../../proto/gen/envoy/config/rbac/v3/rbac_pb.ts';
import { RBACSchema } from '../../proto/gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts';
import { WasmSchema } from '../../proto/gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts';
import { WasmSchema as NetworkWasmSchema } from '../../proto/gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts';
import { FailurePolicy } from '../../proto/gen/envoy/extensions/wasm/v3/wasm_pb.ts';
import { typed } from './any.ts';

const RUNTIME = 'envoy.wasm.runtime.v8';

export function wasmFilter(configuration: string): Any {
  return typed(WasmSchema, { config: pluginOf(configuration) });
}

/** The same module, in the same VM, asked about connections to the outside. */
export function outboundFilter(configuration: string): Any {
  return typed(NetworkWasmSchema, { config: pluginOf(configuration) });
}

function pluginOf(configuration: string) {
  return {
    name: 'writ',
    rootId: 'writ',
    vm: { case: 'vmConfig', value: { runtime: RUNTIME } },
    configuration: anyPack(StringValueSchema, create(StringValueSchema, { value: configuration })),
    failurePolicy: FailurePolicy.FAIL_RELOAD,
    allowOnHeadersStopIteration: true,
  } as const;
}

/** Rules that allow nobody. */
export function denyAll(): Any {
  return typed(RBACSchema, { rules: { action: RBAC_Action.ALLOW } });
}
