// Records of exchanges over gRPC: nodes enter them, admins read them. Each method is a line of translation.
import { create } from '@bufbuild/protobuf';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  EnterRecordReplySchema,
  ExchangeRecordSchema,
  ListReadsReplySchema,
  ReadRecordsReplySchema,
} from '../../proto/gen/writ/v1/records_pb.ts';
import type {
  EnterRecordReply,
  EnterRecordRequest,
  ExchangeRecord as RecordMessage,
  ListReadsReply,
  ListReadsRequest,
  ReadRecordsReply,
  ReadRecordsRequest,
  ShowRecordRequest,
} from '../../proto/gen/writ/v1/records_pb.ts';
import { type ExchangeRecord, RecordRefusal } from '../records/exchange-record.ts';
import { enterRecord, readRecord, readRecords, recordReads, type RecordsContext } from '../records/records.ts';
import { unaryHandler } from './unary-handler.ts';

export interface RecordServicesContext extends RecordsContext {
  readonly isInForce: (policy: string) => boolean;
  readonly log: (message: string) => void;
}

export function recordsService(context: RecordServicesContext): UntypedServiceImplementation {
  return {
    enter: unaryHandler<EnterRecordRequest, EnterRecordReply, 'node'>(
      { kind: 'node', log: context.log },
      async ({ policy, kept }, node) => {
        if (kept === undefined) throw new RecordRefusal('malformed', 'nothing is told');
        if (!context.isInForce(policy)) throw new RecordRefusal('no_policy', 'no such policy is in force');
        await enterRecord(context, { policy, node, kept });
        return create(EnterRecordReplySchema);
      },
    ),
  };
}

export function recordDeskService(context: RecordServicesContext): UntypedServiceImplementation {
  const options = { kind: 'admin' as const, log: context.log };
  return {
    read: unaryHandler<ReadRecordsRequest, ReadRecordsReply, 'admin'>(options, async (request, admin) => {
      const { policy, callerId, after } = request;
      const verb = request.export ? 'export' : 'list';
      const page = await readRecords(context, admin, { verb, policy, caller: callerId, after: numberOf(after) });
      return create(ReadRecordsReplySchema, {
        records: page.records.map((record) => messageOf(record, request.export)),
        next: BigInt(page.next),
      });
    }),
    show: unaryHandler<ShowRecordRequest, RecordMessage, 'admin'>(options, async ({ id }, admin) =>
      messageOf(await readRecord(context, admin, numberOf(id)), true),
    ),
    reads: unaryHandler<ListReadsRequest, ListReadsReply, 'admin'>(options, async ({ policy }) =>
      create(ListReadsReplySchema, {
        reads: (await recordReads(context, policy)).map(({ at, record, ...read }) => ({
          ...read,
          record: BigInt(record),
          atMs: BigInt(at),
        })),
      }),
    ),
  };
}

function messageOf(record: ExchangeRecord, withTexts: boolean): RecordMessage {
  return create(ExchangeRecordSchema, {
    id: BigInt(record.id),
    policy: record.policy,
    exchange: record.exchange,
    node: record.node,
    callerId: record.callerId,
    model: record.model,
    rules: record.rules.map(({ rule }) => rule),
    prompt: withTexts ? record.prompt : '',
    reply: withTexts ? record.reply : '',
    cut: record.cut,
    denied: record.denied,
    ended: record.ended,
    atMs: BigInt(record.at),
    deleteAtMs: BigInt(record.deleteAt),
  });
}

function numberOf(id: bigint): number {
  if (id > BigInt(Number.MAX_SAFE_INTEGER)) throw new RecordRefusal('not_found', 'there is no such record');
  return Number(id);
}
