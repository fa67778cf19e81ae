/**
 * Plan and deployment → the Envoy resources of a policy: what the sidecar serves to Envoy once it has verified the
 * bundle that they came in. Pure, and deterministic: equal input gives equal JSON. The bootstrap is not here: it holds
 * paths of one machine, so the sidecar writes it.
 */
import { toJson } from '@bufbuild/protobuf';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { envoyRegistry } from '../../proto/envoy-registry.ts';
import { ClusterSchema } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { TypedExtensionConfigSchema } from '../../proto/gen/envoy/config/core/v3/extension_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import type { Deployment, Places } from '../deployment/deployment.ts';
import type { Plan } from '../plan/plan.ts';
import type { Door } from '../../proto/door.ts';
import { extensions } from './http-filters.ts';
import { clusters } from './clusters.ts';
import { listener } from './listener.ts';
import { outboundCluster, outboundListener } from './outbound.ts';
import { routes } from './routes.ts';
import { trafficOf } from './traffic.ts';

/** Each is a message in protobuf's JSON form; what is for connections to the outside stands last. */
export interface EnvoyResources {
  readonly door: Door;
  readonly clusters: readonly JsonValue[];
  readonly listeners: readonly JsonValue[];
  readonly routes: readonly JsonValue[];
  readonly extensions: readonly JsonValue[];
}

export function envoyResources(
  plan: Places & Pick<Plan, 'events' | 'redactions'>,
  deployment: Deployment,
  door: Door,
): EnvoyResources {
  const options = { registry: envoyRegistry };
  const traffic = trafficOf(plan);
  return {
    door,
    clusters: [
      ...clusters(plan, deployment),
      ...(deployment.egress === undefined ? [] : [outboundCluster(deployment)]),
    ].map((cluster) => toJson(ClusterSchema, cluster, options)),
    listeners: [
      listener(door, deployment),
      ...(deployment.egress === undefined ? [] : [outboundListener(deployment.egress)]),
    ].map((each) => toJson(ListenerSchema, each, options)),
    routes: [toJson(RouteConfigurationSchema, routes(plan, deployment), options)],
    extensions: extensions(door, plan, traffic, deployment).map((extension) =>
      toJson(TypedExtensionConfigSchema, extension, options),
    ),
  };
}

/** The file of a bundle: readable, ends with a newline. */
export function printEnvoyResources({ door, clusters, listeners, routes, extensions }: EnvoyResources): string {
  const document: JsonObject = {
    door,
    clusters: [...clusters],
    listeners: [...listeners],
    routes: [...routes],
    extensions: [...extensions],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
