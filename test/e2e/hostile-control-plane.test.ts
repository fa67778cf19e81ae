// A control plane with a good certificate that takes everything back, or sends what it must not: the sidecar goes on
// with its last good release, whatever comes, and after a restart too.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { freePort } from '../../examples/parts/free-port.ts';
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
import { authority, bundleKey, controlPlaneCredential, node, strangersKey } from '../control-plane/fixtures.ts';
import type { Mesh } from './mesh.ts';
import { POLICY, startMesh } from './mesh.ts';
import { scriptedFilter } from './scripted-filter.ts';
import { settles } from './settles.ts';
import { makeRelease } from './signed-release.ts';
import type { Upstream } from './upstream.ts';
import { startUpstream } from './upstream.ts';

const TYPE_URL = 'type.googleapis.com/writ.v1.SignedBundle';
const plan = {
  models: [{ name: 'small' }],
  stores: [],
  events: [{ kind: 'completion', default: 'deny', rules: [], stream: 'early' }],
} as const;

let hostile: Server;
let upstream: Upstream;
let mesh: Mesh;
let stream: ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> | undefined;
let streams = 0;
let answers: DeltaDiscoveryRequest[] = [];

beforeAll(async () => {
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
  upstream = await startUpstream(({ body }) => ({ body: [body] }));
  const own = issueCertificate(authority, node('node-1'), [], Date.now());
  mesh = await startMesh({
    plan,
    deployment: { models: { small: { url: `http://127.0.0.1:${upstream.port}` } } },
    loadFilter: (wasm) => scriptedFilter({ route: 'model/small', mark: `${wasm[0]}:` }),
    wasm: Uint8Array.of(7),
    key: bundleKey,
    controlPlane: {
      address: `127.0.0.1:${port}`,
      ca: Buffer.from(authority.certificatePem),
      certificate: Buffer.from(own.certificatePem),
      key: Buffer.from(own.privateKeyPem),
    },
    offers: false,
  });
  await settles(() => stream !== undefined);
});

afterAll(async () => {
  await mesh?.stop();
  hostile?.forceShutdown();
  await upstream?.stop();
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
const ask = async (): Promise<string> => {
  const response = await fetch(`${mesh.url}/echo`, { method: 'POST', body: 'x' });
  return `${response.status} ${await response.text()}`;
};

const stolen = (): SignedBundle =>
  makeRelease({
    policy: POLICY,
    sequence: 99,
    plan,
    deployment: { listener: { port: mesh.port }, models: { small: { url: 'http://127.0.0.1:9' } } },
    wasm: Uint8Array.of(66),
    key: strangersKey,
  });

describe('the last good release stays in force when the control plane', () => {
  test('has sent it', async () => {
    expect(await sent(releasing(mesh.release(5)))).toBeUndefined();
    await mesh.enforced(5);
    expect(await ask()).toBe('200 7:x');
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
    ['sends the same sequence with another content', () => releasing(mesh.release(5, { wasm: Uint8Array.of(9) })), /./],
  ];
  test.each(cases)('%s', async (_, response, refusal) => {
    const answer = await sent(response());
    if (refusal === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatch(refusal);
    expect(answer).not.toBe('cut');
    expect(mesh.sidecar().status()).toMatchObject({ enforcing: { sequence: 5 }, controlPlane: 'connected' });
    expect(await ask()).toBe('200 7:x');
  });

  test('and a process that starts beside an empty one has it from its disk', async () => {
    await mesh.stopSidecar();
    const before = streams;
    await mesh.restartSidecar();
    await settles(() => streams > before);
    expect(await sent({ removedResources: [POLICY] })).toBeUndefined();
    await mesh.enforced(5);
    await settles(async () => (await ask()) === '200 7:x');
  });

  test('and what it sends rightly afterwards comes into force', async () => {
    expect(await sent(releasing(mesh.release(8, { wasm: Uint8Array.of(8) })))).toBeUndefined();
    await settles(async () => (await ask()) === '200 8:x');
  });
});
