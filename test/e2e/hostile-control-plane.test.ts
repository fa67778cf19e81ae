// A control plane with a good certificate that takes everything back, or sends what it must not: the sidecar goes on
// with its last good release, whatever comes, and after a restart too.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DOORS } from '../../proto/door.ts';
import { AggregatedDiscoveryService } from '../../proto/gen/envoy/service/discovery/v3/ads_pb.ts';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import { DeltaDiscoveryResponseSchema as responseSchema } from '../../proto/gen/envoy/service/discovery/v3/discovery_pb.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { SignedBundleSchema } from '../../proto/gen/writ/v1/bundle_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';
import { addressFor, authority, bundleKey, controlPlaneCredential, strangersKey } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { decidingPolicy, MARKED_DEPLOYMENT, markedPolicies } from './marked-policy.ts';
import type { PolicyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { makeRelease } from './signed-release.ts';

const TYPE_URL = 'type.googleapis.com/writ.v1.SignedBundle';
describe.each(DOORS)('through the door %s', (door) => {
  let hostile: Server;
  let marked: (mark: number) => PolicyWasm;
  let mesh: Mesh;
  let stream: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> | undefined;
  let streams = 0;
  let answers: DeltaDiscoveryRequest[] = [];

  beforeAll(async () => {
    stream = undefined;
    streams = 0;
    answers = [];
    hostile = new Server();
    hostile.addService(grpcService(AggregatedDiscoveryService), {
      deltaAggregatedResources: (call: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>) => {
        streams++;
        stream = call;
        call.on('data', (request: DeltaDiscoveryRequest) => answers.push(request));
        call.on('end', () => call.end());
        call.on('error', () => undefined);
      },
    });
    const { certificatePem, privateKeyPem } = controlPlaneCredential;
    const port = await new Promise<number>((resolve, reject) =>
      hostile.bindAsync(
        '127.0.0.1:0',
        ServerCredentials.createSsl(
          Buffer.from(authority.certificatePem),
          [{ cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(privateKeyPem) }],
          true,
        ),
        (error, bound) => (error === null ? resolve(bound) : reject(error)),
      ),
    );
    marked = await markedPolicies([7, 8, 9, 66]);
    mesh = await startMesh({
      ...marked(7),
      deployment: MARKED_DEPLOYMENT,
      loadFilter,
      door,
      key: bundleKey,
      controlPlane: addressFor('node-1', port),
      offers: false,
    });
    await settles(() => stream !== undefined);
  });

  afterAll(async () => {
    await mesh?.stop();
    hostile?.forceShutdown();
  });

  type Response = MessageInitShape<typeof DeltaDiscoveryResponseSchema>;

  /** The answer's error, or undefined for an ACK; `cut` where the stream ended instead. */
  async function sent(response: Response): Promise<string | undefined> {
    const nonce = `n${answers.length}-${streams}`;
    const before = streams;
    answers = [];
    stream?.write(create(responseSchema, { typeUrl: TYPE_URL, nonce, ...response }));
    await settles(() => answers.some((answer) => answer.responseNonce === nonce) || streams > before);
    const answer = answers.find(({ responseNonce }) => responseNonce === nonce);
    return answer === undefined ? 'cut' : answer.errorDetail?.message;
  }

  const carrying = (value: Uint8Array, name = POLICY): Response => ({
    resources: [{ name, version: 'v', resource: { typeUrl: TYPE_URL, value } }],
  });
  const releasing = (release: SignedBundle, name = POLICY): Response =>
    carrying(toBinary(SignedBundleSchema, release), name);
  const deciding = (): Promise<number> => decidingPolicy(mesh.url);

  const stolen = (): SignedBundle =>
    makeRelease({
      policy: POLICY,
      sequence: 99,
      ...marked(66),
      deployment: { listener: { port: mesh.port }, ...MARKED_DEPLOYMENT },
      door,
      key: strangersKey,
    });

  describe('the last good release stays in force when the control plane', () => {
    test('has sent it', async () => {
      expect(await sent(releasing(mesh.release(5)))).toBeUndefined();
      await mesh.enforced(5);
      expect(await deciding()).toBe(7);
    });

    const cases: readonly (readonly [string, () => Response, RegExp | undefined])[] = [
      ['removes it', () => ({ removedResources: [POLICY] }), undefined],
      ['removes everything there is', () => ({ removedResources: ['*', POLICY, ''] }), undefined],
      ['has nothing', () => ({}), undefined],
      ['sends a resource without content', () => ({ resources: [{ name: POLICY, version: 'v' }] }), /not a release/],
      ['sends bytes that are no message', () => carrying(Buffer.from('ffffffff', 'hex')), /not a release/],
      ['sends an empty message', () => carrying(new Uint8Array()), /./],
      ['sends another type', () => ({ ...releasing(mesh.release(6)), typeUrl: 'type.googleapis.com/x.Y' }), /./],
      ['sends the release of another name', () => releasing(mesh.release(6), 'other'), /not a release/],
      ['signs with a key of its own', () => releasing(stolen()), /./],
      ['sends an older release', () => releasing(mesh.release(4)), /./],
      ['sends the same sequence with another content', () => releasing(mesh.release(5, marked(9))), /./],
    ];
    test.each(cases)('%s', async (_, response, refusal) => {
      const answer = await sent(response());
      if (refusal === undefined) expect(answer).toBeUndefined();
      else expect(answer).toMatch(refusal);
      expect(answer).not.toBe('cut');
      expect(mesh.sidecar().status()).toMatchObject({ enforcing: { sequence: 5 }, controlPlane: 'connected' });
      expect(await deciding()).toBe(7);
    });

    test('and a process that starts beside an empty one has it from its disk', async () => {
      await mesh.stopSidecar();
      const before = streams;
      await mesh.restartSidecar();
      await settles(() => streams > before);
      expect(await sent({ removedResources: [POLICY] })).toBeUndefined();
      await mesh.enforced(5);
      await settles(async () => (await deciding()) === 7);
    });

    test('and what it sends rightly afterwards comes into force', async () => {
      expect(await sent(releasing(mesh.release(8, marked(8))))).toBeUndefined();
      await settles(async () => (await deciding()) === 8);
    });
  });
});
