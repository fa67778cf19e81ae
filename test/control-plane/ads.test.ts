// Bundles over delta ADS, on the real gRPC server: delivery, acknowledgement, refusal, restarts.
import { create, fromBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyReleasedBundle } from '../../compiler/bundle/release.ts';
import { BUNDLE_TYPE_URL } from '../../control-plane/xds/snapshot.ts';
import { AggregatedDiscoveryService } from '../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import { DeltaDiscoveryRequestSchema } from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { grpcMethod, unaryCall } from '../../proto/grpc-call.ts';
import { admin, bundleKey, node, startTestControlPlane, testBundle, testRelease } from './fixtures.ts';
import type { TestControlPlane } from './fixtures.ts';

const options = { timeoutMs: 10_000 };
let control: TestControlPlane;
let sequence = 0;
beforeAll(async () => {
  control = await startTestControlPlane();
});
afterAll(() => control.stop());

async function push(note: string): Promise<void> {
  await unaryCall(control.client(admin), Admin.method.push, testRelease(testBundle(note), ++sequence), options);
}

/** One ADS stream of a node. */
class Stream {
  readonly #call: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
  readonly #received: DeltaDiscoveryResponse[] = [];
  #wake: () => void = () => undefined;
  failure: ServiceError | undefined;

  constructor(role: Parameters<TestControlPlane['client']>[0]) {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(
      AggregatedDiscoveryService.method.deltaAggregatedResources,
    );
    this.#call = control.client(role).makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#call.on('data', (response: DeltaDiscoveryResponse) => {
      this.#received.push(response);
      this.#wake();
    });
    this.#call.on('error', (error: ServiceError) => {
      this.failure = error;
      this.#wake();
    });
  }

  send(request: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.#call.write(create(DeltaDiscoveryRequestSchema, { typeUrl: BUNDLE_TYPE_URL, ...request }));
  }

  /** The next response, or undefined after so many milliseconds. */
  async next(ms = 5_000): Promise<DeltaDiscoveryResponse | undefined> {
    const end = Date.now() + ms;
    while (this.#received.length === 0 && this.failure === undefined && Date.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#received.shift();
  }

  close(): void {
    this.#call.cancel();
  }
}

function bundleIn(response: DeltaDiscoveryResponse | undefined) {
  const [resource] = response?.resources ?? [];
  const message = fromBinary(SignedBundleSchema, resource?.resource?.value ?? new Uint8Array());
  return { message, version: resource?.version ?? '', nonce: response?.nonce ?? '' };
}

describe('a node that subscribes to its policy set', () => {
  test('is told that there is nothing, then gets each release, verifiable, once', async () => {
    const stream = new Stream(node('n1'));
    stream.send({ resourceNamesSubscribe: ['acme'] });
    const none = await stream.next();
    expect(none?.removedResources).toEqual(['acme']);
    stream.send({ responseNonce: none?.nonce ?? '' });
    await push('one');
    const first = bundleIn(await stream.next());
    expect(
      verifyReleasedBundle(first.message, [bundleKey.verification], { sequence: 0, revision: '' }).release,
    ).toMatchObject({ name: 'acme', sequence: 1 });
    stream.send({ responseNonce: first.nonce });
    expect(await stream.next(300)).toBeUndefined();
    await push('two');
    expect(bundleIn(await stream.next()).message.sequence).toBe(2n);
    stream.close();
  });

  test('and does not acknowledge gets only the last of several', async () => {
    const stream = new Stream(node('n2'));
    stream.send({ resourceNamesSubscribe: ['acme'] });
    const first = bundleIn(await stream.next());
    for (const note of ['three', 'four', 'five']) await push(note);
    expect(await stream.next(500)).toBeUndefined();
    stream.send({ responseNonce: first.nonce });
    expect(bundleIn(await stream.next()).message.sequence).toBe(5n);
    stream.close();
  });

  test('and comes back with what it has gets nothing, also from a control plane that has just started', async () => {
    const before = new Stream(node('n3'));
    before.send({ resourceNamesSubscribe: ['acme'] });
    const { version } = bundleIn(await before.next());
    before.close();
    await control.restart();
    const after = new Stream(node('n3'));
    after.send({ resourceNamesSubscribe: ['acme'], initialResourceVersions: { acme: version } });
    expect(await after.next(500)).toBeUndefined();
    after.close();
  });

  test('and refuses a release never gets it again: not on another stream, not from a restarted control plane; others get it', async () => {
    const stream = new Stream(node('n4'));
    stream.send({ resourceNamesSubscribe: ['acme'] });
    const refused = bundleIn(await stream.next());
    stream.send({ responseNonce: refused.nonce, errorDetail: { code: 3, message: 'wrong_hash: a file was changed' } });
    expect(await stream.next(300)).toBeUndefined();
    stream.close();
    await control.restart();
    const { nodes } = await unaryCall(control.client(admin), Admin.method.status, {}, options);
    expect(nodes).toMatchObject([
      {
        name: 'n4',
        quarantined: [{ resource: 'acme', version: refused.version, message: 'wrong_hash: a file was changed' }],
      },
    ]);
    const again = new Stream(node('n4'));
    again.send({ resourceNamesSubscribe: ['acme'] });
    expect(await again.next(500)).toBeUndefined();
    const other = new Stream(node('n5'));
    other.send({ resourceNamesSubscribe: ['acme'] });
    expect(bundleIn(await other.next()).version).toBe(refused.version);
    await push('six');
    expect(bundleIn(await again.next()).message.sequence).toBe(6n);
    again.close();
    other.close();
  });
});

describe('a stream', () => {
  test('is for nodes', async () => {
    const stream = new Stream(admin);
    stream.send({});
    expect(await stream.next()).toBeUndefined();
    expect(stream.failure?.code).toBe(status.PERMISSION_DENIED);
  });

  test('that names too much is ended', async () => {
    const stream = new Stream(node('n6'));
    stream.send({ resourceNamesSubscribe: Array.from({ length: 4_097 }, (_, index) => `${index}`) });
    expect(await stream.next()).toBeUndefined();
    expect(stream.failure?.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('may carry other types, of which there are none here', async () => {
    const stream = new Stream(node('n7'));
    stream.send({ typeUrl: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' });
    expect(await stream.next()).toMatchObject({ resources: [], removedResources: [] });
    stream.close();
  });
});
