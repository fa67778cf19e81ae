// One attempt to tell a notice: one POST. A boundary file: it touches the network. What the other end says beside its
// status is not read.
import type { AttemptOutcome } from './outbox.ts';

/** A server that answers later has not answered. */
export const POST_MS_MAX = 10_000;

export async function postWebhook(
  url: string,
  headers: { readonly [name: string]: string },
  body: string,
  stop: AbortSignal,
): Promise<AttemptOutcome> {
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers,
      body,
      // To another host than the one that was named goes nothing.
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(POST_MS_MAX)]),
    });
    // Nobody reads it: the connection is closed at once where it goes on.
    await reply.body?.cancel();
    return reply.ok ? { kind: 'taken' } : { kind: 'failed', why: `http_${reply.status}` };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    return { kind: 'failed', why: isLate ? 'timeout' : 'unreachable' };
  }
}
