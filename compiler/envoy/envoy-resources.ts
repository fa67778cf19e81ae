/**
 * Plan and deployment → the Envoy resources of a policy: what the sidecar serves to Envoy once it has verified the bundle that they came in. Pure, and deterministic: equal input gives equal JSON.
 * The bootstrap is not here: it holds paths of one machine, so the sidecar writes it.
 */
import { toJson } from '@bufbuild/protobuf';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { envoyRegistry } from '../../proto/envoy-registry.ts';
import { ClusterSchema } from '../../proto/gen/envoy/config/cluster/v3/cluster_pb.ts';
import { ListenerSchema } from '../../proto/gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../proto/gen/envoy/config/route/v3/route_pb.ts';
import type { Deployment } from '../deployment/deployment.ts';
import type { Plan } from '../plan/plan.ts';
import { clusters } from './clusters.ts';
import { listener } from './listener.ts';
import { routes } from './routes.ts';
import { trafficOf } from './traffic.ts';

/** Each is a message in protobuf's JSON form, in order of name. */
export interface EnvoyResources {
  readonly clusters: readonly JsonValue[];
  readonly listeners: readonly JsonValue[];
  readonly routes: readonly JsonValue[];
}

export function envoyResources(plan: Pick<Plan, 'models' | 'stores' | 'events'>, deployment: Deployment): EnvoyResources {
  const options = { registry: envoyRegistry };
  const traffic = trafficOf(plan);
  return {
    clusters: clusters(plan, deployment).map((cluster) => toJson(ClusterSchema, cluster, options)),
    listeners: [toJson(ListenerSchema, listener(traffic, deployment), options)],
    routes: [toJson(RouteConfigurationSchema, routes(plan, deployment), options)],
  };
}

/** The file of a bundle: readable, ends with a newline. */
export function printEnvoyResources({ clusters, listeners, routes }: EnvoyResources): string {
  const document: JsonObject = { clusters: [...clusters], listeners: [...listeners], routes: [...routes] };
  return `${JSON.stringify(document, null, 2)}\n`;
}
