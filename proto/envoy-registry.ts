/**
 * The messages that stand in an `Any` of the Envoy resources we make: what is needed to read them from JSON and to
 * print them.
 */
import { createRegistry } from '@bufbuild/protobuf';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { ClusterSchema } from './gen/envoy/config/cluster/v3/cluster_pb.ts';
import { ClusterLoadAssignmentSchema } from './gen/envoy/config/endpoint/v3/endpoint_pb.ts';
import { ListenerSchema } from './gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from './gen/envoy/config/route/v3/route_pb.ts';
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from './gen/envoy/extensions/access_loggers/grpc/v3/als_pb.ts';
import { ClusterConfigSchema } from './gen/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.ts';
import { ExternalProcessorSchema } from './gen/envoy/extensions/filters/http/ext_proc/v3/ext_proc_pb.ts';
import { HeaderMutationSchema } from './gen/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.ts';
import { JwtAuthenticationSchema } from './gen/envoy/extensions/filters/http/jwt_authn/v3/config_pb.ts';
import { RBACSchema } from './gen/envoy/extensions/filters/http/rbac/v3/rbac_pb.ts';
import { RouterSchema } from './gen/envoy/extensions/filters/http/router/v3/router_pb.ts';
import { WasmSchema } from './gen/envoy/extensions/filters/http/wasm/v3/wasm_pb.ts';
import { TlsInspectorSchema } from './gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts';
import { HttpConnectionManagerSchema } from './gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import { FilterConfigSchema as SniForwardProxySchema } from './gen/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.ts';
import { TcpProxySchema } from './gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import { WasmSchema as NetworkWasmSchema } from './gen/envoy/extensions/filters/network/wasm/v3/wasm_pb.ts';
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from './gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts';
import { HttpProtocolOptionsSchema } from './gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts';

export const envoyRegistry = createRegistry(
  ClusterSchema,
  ClusterLoadAssignmentSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
  ClusterConfigSchema,
  TlsInspectorSchema,
  SniForwardProxySchema,
  TcpProxySchema,
  NetworkWasmSchema,
  ExternalProcessorSchema,
  HeaderMutationSchema,
  JwtAuthenticationSchema,
  RBACSchema,
  RouterSchema,
  WasmSchema,
  StringValueSchema,
  HttpConnectionManagerSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
);
