// What becomes of a held request: it enters the queue, waits, passes once, or not. In one transaction each, so that what
// is approved passes once however often and wherever it is asked.
import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import {
  type HeldRequest,
  type Ruling,
  Ruling_State,
  RulingSchema,
} from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import type { Database, Queries } from '../store/database.ts';
import { addReview, byTicket, countOpen, lockQueue, openByBinding, useReview } from '../store/review-store.ts';
import { type Hold, type Review, ReviewRefusal, stateOf } from './review.ts';

/** Requests that may wait at one time: of a policy, and of one caller of it. */
export const OPEN_MAX = 1_000;
export const OPEN_OF_CALLER_MAX = 20;
/** After which it is worth asking again: people answer. */
export const RETRY_SECONDS = 10;
const TICKET_BYTES = 16;
export const HOLDS_MAX = 256;
const APPROVALS_MAX = 16;
/** The filter cuts at 64 KiB. */
export const MESSAGES_BYTES_MAX = 65_536;
/** Of names, and of the caller's id. */
export const TEXT_BYTES_MAX = 4_096;

export interface ReviewContext {
  readonly database: Database;
  readonly now: () => number;
}

export interface Question {
  readonly policy: string;
  readonly node: string;
  readonly held: HeldRequest;
}

/** Throws ReviewRefusal for a question that no filter of ours asks. */
export async function askReview({ database, now }: ReviewContext, question: Question): Promise<Ruling> {
  const holds = checked(question.held);
  return database.transaction((tx) =>
    question.held.ticket === '' ? enter(tx, question, holds, now()) : redeem(tx, question, now()),
  );
}

/** Asked again, unchanged, a request that waits has the ticket that it has. */
async function enter(
  tx: Queries,
  { policy, node, held }: Question,
  holds: readonly Hold[],
  now: number,
): Promise<Ruling> {
  await lockQueue(tx, policy);
  const waiting = await openByBinding(tx, policy, held.binding, now);
  if (waiting !== undefined)
    return stateOf(waiting, now) === 'rejected' ? ruling(Ruling_State.REJECTED) : pending(waiting.ticket);
  const open = await countOpen(tx, policy, held.caller, now);
  if (open.ofCaller >= OPEN_OF_CALLER_MAX) return ruling(Ruling_State.CALLER_FULL);
  if (open.all >= OPEN_MAX) return ruling(Ruling_State.QUEUE_FULL);
  const ticket = randomBytes(TICKET_BYTES).toString('hex');
  await addReview(tx, {
    kind: 'hold',
    ticket,
    policy,
    node,
    binding: held.binding,
    caller: held.caller,
    callerId: held.callerId,
    model: held.model,
    holds,
    messages: held.messages,
    reply: '',
    denied: false,
    cut: held.cut,
    createdAt: now,
    expiresAt: now + Math.min(...holds.map(({ milliseconds }) => milliseconds)),
  });
  return pending(ticket);
}

async function redeem(tx: Queries, { policy, held }: Question, now: number): Promise<Ruling> {
  const review = await byTicket(tx, policy, held.ticket);
  // Of another request or of none: whoever asks is not told which.
  if (review === undefined || Buffer.compare(review.binding, held.binding) !== 0) return ruling(Ruling_State.UNKNOWN);
  switch (stateOf(review, now)) {
    case 'pending':
      return pending(review.ticket);
    case 'rejected':
      return ruling(Ruling_State.REJECTED);
    case 'expired':
      return ruling(Ruling_State.EXPIRED);
    case 'used':
      return ruling(isUsedBy(review, held.exchange) ? Ruling_State.APPROVED : Ruling_State.USED);
    case 'approved':
      await useReview(tx, review.id, held.exchange, now);
      return ruling(Ruling_State.APPROVED);
  }
}

/** The answer before this one was lost on its way. */
function isUsedBy({ usedBy }: Review, exchange: Uint8Array): boolean {
  return usedBy !== undefined && Buffer.compare(usedBy, exchange) === 0;
}

function pending(ticket: string): Ruling {
  return create(RulingSchema, { state: Ruling_State.PENDING, ticket, seconds: RETRY_SECONDS });
}

function ruling(state: Ruling_State): Ruling {
  return create(RulingSchema, { state, seconds: RETRY_SECONDS });
}

function checked(held: HeldRequest): readonly Hold[] {
  const texts = [
    held.callerId,
    held.model,
    ...held.holds.flatMap(({ rule, reviewers, group }) => [rule, reviewers, group]),
  ];
  if (
    held.binding.length !== 32 ||
    held.caller.length !== 32 ||
    held.exchange.length !== 16 ||
    !/^([0-9a-f]{32})?$/.test(held.ticket) ||
    held.holds.length < 1 ||
    held.holds.length > HOLDS_MAX ||
    Buffer.byteLength(held.messages) > MESSAGES_BYTES_MAX ||
    texts.some((each) => Buffer.byteLength(each) > TEXT_BYTES_MAX)
  )
    throw new ReviewRefusal('malformed', 'this is no held request');
  return held.holds.map(({ rule, reviewers, group, approvals, milliseconds }) => {
    if (approvals < 1 || approvals > APPROVALS_MAX || milliseconds < 1n || milliseconds > MILLISECONDS_MAX)
      throw new ReviewRefusal('malformed', 'this is no hold');
    return { rule, reviewers, group, approvals, milliseconds: Number(milliseconds) };
  });
}

/** A hundred years. */
const MILLISECONDS_MAX = 36_500n * 86_400_000n;
