/** The nodes of fan-out.ts: as many channels, each with its own connection, as the sidecar's client opens one. */
import grpc from '@grpc/grpc-js';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { openChannel } from '../../filters/sidecar/control-plane-channel.ts';
import { AggregatedDiscoveryService } from '../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { DeltaDiscoveryRequestSchema } from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { grpcMethod } from '../../proto/grpc-call.ts';

interface Start {
  readonly nodes: number;
  readonly port: number;
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** What came of one release at all nodes. */
export interface Received {
  /** Milliseconds since 1970, one a node. */
  readonly arrivals: readonly number[];
  /** Of all nodes, since the release before. */
  readonly cpuMs: number;
}

const TYPE_URL = 'type.googleapis.com/writ.v1.SignedBundle';
/** Connections that are made at one time. */
const OPENING_AT_ONCE = 50;
const READY_MS_MAX = 60_000;
const { path, requestSerialize, responseDeserialize } = grpcMethod(
  AggregatedDiscoveryService.method.deltaAggregatedResources,
);
const request = (message: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): DeltaDiscoveryRequest =>
  create(DeltaDiscoveryRequestSchema, { typeUrl: TYPE_URL, ...message });
let arrivals: number[] = [];
let cpu = process.cpuUsage();

process.once('message', (start: Start) => void connectAll(start));

async function connectAll(start: Start): Promise<void> {
  for (let opened = 0; opened < start.nodes; opened += OPENING_AT_ONCE) {
    const count = Math.min(OPENING_AT_ONCE, start.nodes - opened);
    await Promise.all(Array.from({ length: count }, () => connect(start)));
  }
  cpu = process.cpuUsage();
  process.send?.('ready');
}

async function connect(start: Start): Promise<void> {
  const client = openChannel({
    address: `127.0.0.1:${start.port}`,
    ca: Buffer.from(start.authorityPem),
    certificate: Buffer.from(start.certificatePem),
    key: Buffer.from(start.privateKeyPem),
    serverName: 'localhost',
  });
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + READY_MS_MAX, (error) => (error === undefined ? resolve() : reject(error))),
  );
  const stream: grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
  );
  stream.on('error', () => undefined);
  stream.on('data', (response: DeltaDiscoveryResponse) => {
    if (response.resources.length > 0) arrivals.push(Date.now());
    stream.write(request({ responseNonce: response.nonce }));
    if (response.resources.length === 0 || arrivals.length < start.nodes) return;
    const { user, system } = process.cpuUsage(cpu);
    const received: Received = { arrivals, cpuMs: (user + system) / 1_000 };
    process.send?.(received);
    arrivals = [];
    cpu = process.cpuUsage();
  });
  stream.write(request({ node: { id: 'n1', cluster: 'acme' }, resourceNamesSubscribe: ['acme'] }));
}
