// Notices over gRPC: nodes tell how often rules have fired, admins see what waits and what was given up. Each method is a
// line of translation.
import { create } from '@bufbuild/protobuf';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { FiringsReplySchema, ListNoticesReplySchema } from '../../proto/gen/writ/v1/notices_pb.ts';
import type {
  FiringsReply,
  FiringsReport,
  ListNoticesReply,
  ListNoticesRequest,
} from '../../proto/gen/writ/v1/notices_pb.ts';
import { enterFirings, type FiringsContext } from '../notices/enter-firings.ts';
import type { Webhooks } from '../notices/webhook.ts';
import { openNotices } from '../store/notice-store.ts';
import { unaryHandler } from './unary-handler.ts';

export interface NoticeServicesContext extends FiringsContext {
  readonly webhooks: Webhooks;
  readonly log: (message: string) => void;
}

const NOTICES_MAX = 1_000;

export function firingsService(context: NoticeServicesContext): UntypedServiceImplementation {
  return {
    enter: unaryHandler<FiringsReport, FiringsReply, 'node'>(
      { kind: 'node', log: context.log },
      async ({ policy, incarnation, firings }, node) => {
        const totals = firings.map(({ rule, total }) => ({ rule, total: Number(total) }));
        await enterFirings(context, { policy, node, incarnation, firings: totals });
        return create(FiringsReplySchema);
      },
    ),
  };
}

export function noticeDeskService({ database, webhooks, log }: NoticeServicesContext): UntypedServiceImplementation {
  return {
    list: unaryHandler<ListNoticesRequest, ListNoticesReply, 'admin'>({ kind: 'admin', log }, async ({ policy }) =>
      create(ListNoticesReplySchema, {
        notices: (await openNotices(database, policy, NOTICES_MAX)).map(({ from, to, count, nextAt, ...notice }) => ({
          ...notice,
          fromMs: BigInt(from),
          toMs: BigInt(to),
          count: BigInt(count),
          nextAtMs: BigInt(nextAt),
          addressed: webhooks.has(notice.webhook),
        })),
      }),
    ),
  };
}
