// A sample of what is over enters the queue of reviews. No request waits for it, so none is refused for it: where as many
// wait as may, it is left out, and whoever brought it is told.
import { randomBytes } from 'node:crypto';
import type { KeptExchange } from '../../proto/gen/writ/v1/filter_keeps_pb.ts';
import { addReview, countSamples, lockQueue } from '../store/review-store.ts';
import { HOLDS_MAX, MESSAGES_BYTES_MAX, type ReviewContext, TEXT_BYTES_MAX } from './ask-review.ts';
import { ReviewRefusal } from './review.ts';

/** Of a policy, that nobody has judged. */
export const SAMPLES_OPEN_MAX = 10_000;
/** For so long somebody may. */
export const SAMPLE_OPEN_MS = 30 * 86_400_000;
const ID_BYTES = 16;
const TICKET_BYTES = 16;

/** Whether it is kept: false where too many wait. Throws ReviewRefusal for what no filter of ours tells. */
export async function enterSample(
  { database, now }: ReviewContext,
  { policy, node, kept }: { readonly policy: string; readonly node: string; readonly kept: KeptExchange },
): Promise<boolean> {
  assertKept(kept);
  return database.transaction(async (tx) => {
    const at = now();
    await lockQueue(tx, policy);
    const { open, isKnown } = await countSamples(tx, policy, kept.id, at);
    if (isKnown) return true;
    if (open >= SAMPLES_OPEN_MAX) return false;
    const expiresAt = at + SAMPLE_OPEN_MS;
    await addReview(tx, {
      kind: 'sample',
      // Nobody is given it.
      ticket: randomBytes(TICKET_BYTES).toString('hex'),
      policy,
      node,
      binding: kept.id,
      caller: kept.id,
      callerId: kept.callerId,
      model: kept.model,
      holds: kept.keeps.map(({ rule, reviewers, group }) => ({
        rule,
        reviewers,
        group,
        approvals: 1,
        milliseconds: SAMPLE_OPEN_MS,
      })),
      messages: kept.prompt,
      reply: kept.reply,
      denied: kept.denied,
      cut: kept.cut,
      createdAt: Math.min(at, Number(kept.atMs)),
      expiresAt,
    });
    return true;
  });
}

function assertKept({ id, callerId, model, keeps, prompt, reply, atMs }: KeptExchange): void {
  const texts = [callerId, model, ...keeps.flatMap(({ rule, reviewers, group }) => [rule, reviewers, group])];
  if (
    id.length !== ID_BYTES ||
    keeps.length < 1 ||
    keeps.length > HOLDS_MAX ||
    prompt === '' ||
    Buffer.byteLength(prompt) > MESSAGES_BYTES_MAX ||
    Buffer.byteLength(reply) > MESSAGES_BYTES_MAX ||
    texts.some((each) => Buffer.byteLength(each) > TEXT_BYTES_MAX) ||
    atMs < 0n ||
    atMs > BigInt(Number.MAX_SAFE_INTEGER)
  )
    throw new ReviewRefusal('malformed', 'this is no kept exchange');
}
