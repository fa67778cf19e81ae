// Samples on their way to the control plane: nothing waits for them, what cannot be told is told later, and what is lost is
// counted.
import { create } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../examples/parts/free-port.ts';
import { sampleSender, SAMPLES_BYTES_MAX, SAMPLES_MAX } from '../../filters/sidecar/keeps/sample-sender.ts';
import { KeepSchema, type KeptExchange, KeptExchangeSchema } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import {
  Reviews,
  type SampledExchange,
  type SampledReply,
  SampledReplySchema,
} from '../../proto/gen/writ/v1/reviews_pb.ts';
import { grpcService } from '../../proto/grpc-call.ts';
import { settles } from '../e2e/settles.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Answer = 'taken' | 'full' | 'malformed';

/** A control plane that answers so, at this port. */
async function startPlane(port: number, answer: (told: SampledExchange) => Answer): Promise<SampledExchange[]> {
  const told: SampledExchange[] = [];
  const server = new grpc.Server();
  server.addService(grpcService(Reviews), {
    ask: () => undefined,
    enter: (
      { request }: grpc.ServerUnaryCall<SampledExchange, SampledReply>,
      callback: grpc.sendUnaryData<SampledReply>,
    ) => {
      told.push(request);
      const said = answer(request);
      if (said === 'malformed') callback({ code: grpc.status.INVALID_ARGUMENT, details: 'no' });
      else callback(null, create(SampledReplySchema, { full: said === 'full' }));
    },
  });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  cleanups.push(() => server.forceShutdown());
  return told;
}

function sender(port: number) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  });
  cleanups.push(() => client.close());
  const samples = sampleSender(client, 'acme');
  cleanups.push(() => samples.stop(0));
  return samples;
}

function kept(prompt = '[]', reply = ''): KeptExchange {
  return create(KeptExchangeSchema, {
    id: new Uint8Array(16),
    keeps: [create(KeepSchema, { rule: 'quality', reviewers: 'quality', group: 'g' })],
    prompt,
    reply,
  });
}

test('samples are told one after another, under the name of the policy set', async () => {
  const port = await freePort();
  const told = await startPlane(port, () => 'taken');
  const samples = sender(port);
  for (const prompt of ['1', '2', '3']) samples.add(kept(prompt));
  await settles(() => samples.sent === 3);
  expect(told.map(({ policy, kept: each }) => [policy, each?.prompt])).toEqual([
    ['acme', '1'],
    ['acme', '2'],
    ['acme', '3'],
  ]);
  expect(samples).toMatchObject({ waiting: 0, dropped: 0 });
});

test('while the control plane is gone they wait, and no more of them than may', async () => {
  const port = await freePort();
  const samples = sender(port);
  for (let i = 0; i < SAMPLES_MAX + 2; i++) samples.add(kept(String(i)));
  expect(samples).toMatchObject({ waiting: SAMPLES_MAX, dropped: 2, sent: 0 });
  const told = await startPlane(port, () => 'taken');
  // The wait between two tries grows.
  await settles(() => samples.sent === SAMPLES_MAX, 40_000);
  expect(new Set(told.map(({ kept: each }) => each?.prompt)).size).toBe(SAMPLES_MAX);
});

test('nor more bytes than may', async () => {
  const samples = sender(await freePort());
  const long = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < SAMPLES_BYTES_MAX / long.length / 2 + 1; i++) samples.add(kept(long, long));
  expect(samples.waiting).toBeLessThan(SAMPLES_BYTES_MAX / long.length / 2 + 1);
  expect(samples.dropped).toBe(SAMPLES_BYTES_MAX / long.length / 2 + 1 - samples.waiting);
});

test('what is not taken is not told again, and is counted', async () => {
  const port = await freePort();
  const answers: Answer[] = ['full', 'malformed', 'taken'];
  const told = await startPlane(port, () => answers.shift() ?? 'taken');
  const samples = sender(port);
  for (const prompt of ['1', '2', '3']) samples.add(kept(prompt));
  await settles(() => samples.sent === 1);
  expect(samples).toMatchObject({ waiting: 0, dropped: 2 });
  expect(told).toHaveLength(3);
});

test('one that stops sends what it can, and counts the rest', async () => {
  const port = await freePort();
  const reached = sender(port);
  await startPlane(port, () => 'taken');
  reached.add(kept());
  await reached.stop(5_000);
  expect(reached).toMatchObject({ sent: 1, dropped: 0 });
  const unreached = sender(await freePort());
  unreached.add(kept());
  await unreached.stop(50);
  expect(unreached).toMatchObject({ sent: 0, dropped: 1, waiting: 0 });
  unreached.add(kept());
  expect(unreached.dropped).toBe(2);
});

test('without a control plane nothing is kept, and that is counted', () => {
  const samples = sampleSender(undefined, 'acme');
  samples.add(kept());
  expect(samples).toMatchObject({ waiting: 0, dropped: 1 });
});
