// The number of the next release of a policy set. It follows from the history; where that was lost with the database,
// from what nodes report to have verified, so that they need not be reset by hand. With a history at hand, reports
// count for nothing: a node cannot push the numbers up.
import { fromBinary } from '@bufbuild/protobuf';
import { NodeStatusSchema } from '../../proto/gen/writ/v1/nodes_pb.ts';
import type { Queries } from '../store/database.ts';
import { listNodes } from '../store/node-store.ts';
import { newestRelease } from '../store/release-store.ts';

/** From 1. */
export async function nextSequence(queries: Queries, name: string): Promise<number> {
  const newest = await newestRelease(queries, name);
  if (newest !== undefined) return newest.sequence + 1;
  const reported = (await listNodes(queries))
    .filter(({ policy }) => policy === name)
    .map(({ status }) => Number(fromBinary(NodeStatusSchema, status).verified?.sequence ?? 0n));
  return Math.max(0, ...reported.filter((sequence) => sequence < Number.MAX_SAFE_INTEGER)) + 1;
}
