/** What the client is told of a request that is not approved: in its protocol's own form, with the ticket or the reason. */
import {
  REVIEW_CALLER_FULL,
  REVIEW_EXPIRED,
  REVIEW_PENDING,
  REVIEW_QUEUE_FULL,
  REVIEW_REJECTED,
  REVIEW_UNKNOWN,
  REVIEW_USED,
} from '../abi';
import { putHeader } from '../http/headers';
import { put } from '../http/literal';
import { deny, messageOf, reply } from '../session/denial';
import { Session } from '../session/session-state';
import { isTicket } from './ticket';

export function answerUnreviewed(s: Session, state: u32, ticket: usize, ticketBytes: u32, seconds: u32): i32 {
  if (state == REVIEW_PENDING && isTicket(ticket, ticketBytes)) return tellTicket(s, ticket, ticketBytes, seconds);
  if (state == REVIEW_REJECTED) return deny(s, 403, 'a reviewer has rejected this request');
  if (state == REVIEW_EXPIRED) return deny(s, 403, 'the time for the review of this request is over');
  if (state == REVIEW_USED) return deny(s, 403, 'the ticket was used already: it lets one request pass, once');
  if (state == REVIEW_UNKNOWN)
    return deny(
      s,
      403,
      'the ticket is not for this request: same caller, same body, same model and same policy must ask again',
    );
  s.retrySeconds = seconds;
  if (state == REVIEW_CALLER_FULL) return deny(s, 429, 'too many requests of this caller wait for review');
  if (state == REVIEW_QUEUE_FULL) return deny(s, 503, 'too many requests wait for review');
  return deny(s, 503, 'a rule holds this for review, and the queue of reviews cannot be reached');
}

/** Nothing is denied yet. */
function tellTicket(s: Session, ticket: usize, ticketBytes: u32, seconds: u32): i32 {
  const message = messageOf(s);
  put(message, 'held for review: send the same request again with the header `x-writ-ticket: ');
  message.append(ticket, ticketBytes);
  put(message, '`');
  s.retrySeconds = seconds;
  const action = reply(s, 202, message);
  putHeader(s.out().replyHeadersRun(), 'x-writ-ticket', ticket, ticketBytes);
  return action;
}
