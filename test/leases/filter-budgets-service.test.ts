// The filter's calls over a Unix socket: what the service takes, what it refuses, and what it answers with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { createGrpcServer, listen } from '../../filters/door/grpc-server.ts';
import type { EnvoyGrants, GrantLine } from '../../filters/sidecar/budgets/envoy-grants.ts';
import { LINES_MAX, addFilterBudgetsService } from '../../filters/sidecar/budgets/filter-budgets-service.ts';
import { FilterBudgets } from '../../proto/gen/writ/v1/filter_budgets_pb.ts';
import type { SyncRequestSchema } from '../../proto/gen/writ/v1/filter_budgets_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';

const over: (() => void)[] = [];
afterEach(() => {
  for (const end of over.splice(0)) end();
});

async function serve(grants: Pick<EnvoyGrants, 'sync'> | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'writ-filter-budgets-'));
  const server = createGrpcServer({ messageBytesMax: 1024 * 1024 });
  addFilterBudgetsService(server, grants);
  await listen(server, join(folder, 'sidecar.sock'));
  const client = new grpc.Client(`unix:${join(folder, 'sidecar.sock')}`, grpc.credentials.createInsecure());
  over.push(() => {
    client.close();
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  });
  return (request: MessageInitShape<typeof SyncRequestSchema>) =>
    unaryCall(client, FilterBudgets.method.sync, request, { timeoutMs: 5_000 });
}

/** Answers each line with its own numbers. */
function echo() {
  const seen: { envoy: string; lines: readonly GrantLine[] }[] = [];
  const grants: Pick<EnvoyGrants, 'sync'> = {
    sync: async (envoy, lines) => {
      seen.push({ envoy, lines });
      return lines.map(({ budget, number, spent, wanted }) => ({
        budget,
        number,
        over: false,
        granted: wanted,
        leftMs: 50,
        known: true,
        limit: Number.MAX_SAFE_INTEGER,
        beyond: 7,
        spent,
      }));
    },
  };
  return { seen, grants };
}

const line = { budget: 'team', grant: 1n };

describe('a call', () => {
  test('is numbers both ways, the largest ones exactly', async () => {
    const { seen, grants } = echo();
    const sync = await serve(grants);
    const wantedMicros = BigInt(Number.MAX_SAFE_INTEGER);
    const reply = await sync({
      envoy: 0xfedc_ba98_7654_3210n,
      lines: [{ ...line, grant: 3n, heldMicros: 5n, spentMicros: 4n, wantedMicros, close: true }],
    });
    expect(seen).toEqual([
      {
        envoy: 'fedcba9876543210',
        lines: [{ budget: 'team', number: 3, held: 5, spent: 4, wanted: Number.MAX_SAFE_INTEGER, close: true }],
      },
    ]);
    expect(reply.grants).toMatchObject([
      {
        budget: 'team',
        grant: 3n,
        over: false,
        grantedMicros: wantedMicros,
        leftMs: 50n,
        known: true,
        limitMicros: wantedMicros,
        beyondMicros: 7n,
      },
    ]);
  });

  test('without a control plane is answered: no budget is known', async () => {
    const sync = await serve(undefined);
    const reply = await sync({ envoy: 1n, lines: [line, { ...line, heldMicros: 1n }] });
    expect(reply.grants).toMatchObject([
      { known: false, over: false, grantedMicros: 0n, leftMs: 0n },
      { known: false, over: true },
    ]);
  });

  test(`has at most ${LINES_MAX} lines`, async () => {
    const { grants } = echo();
    const sync = await serve(grants);
    const lines = Array.from({ length: LINES_MAX }, () => line);
    expect((await sync({ envoy: 1n, lines })).grants).toHaveLength(LINES_MAX);
    await expect(sync({ envoy: 1n, lines: [...lines, line] })).rejects.toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
    });
  });

  test.each([
    ['no Envoy', { envoy: 0n, lines: [line] }],
    ['no budget', { envoy: 1n, lines: [{ ...line, budget: '' }] }],
    ['a name that is too long', { envoy: 1n, lines: [{ ...line, budget: 'x'.repeat(193) }] }],
    ['no number', { envoy: 1n, lines: [{ ...line, grant: 0n }] }],
    ['a negative amount', { envoy: 1n, lines: [{ ...line, spentMicros: -1n }] }],
    ['an amount that is not exact', { envoy: 1n, lines: [{ ...line, wantedMicros: 2n ** 53n }] }],
  ])('with %s is refused, and nothing of it is booked', async (_, request) => {
    const { seen, grants } = echo();
    const sync = await serve(grants);
    await expect(sync(request)).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
    expect(seen).toEqual([]);
  });

  test('that fails says nothing of why', async () => {
    const sync = await serve({ sync: () => Promise.reject(new Error('secret')) });
    await expect(sync({ envoy: 1n, lines: [line] })).rejects.toMatchObject({
      code: grpc.status.INTERNAL,
      details: 'the call failed',
    });
  });
});
