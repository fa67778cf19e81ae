/** A response comes in: headers, body, end. */
import { ACTION_CONTINUE, ACTION_HOLD } from '../abi';
import { ENDPOINT_PASS, ENDPOINT_RETRIEVAL, ENDPOINT_STREAM } from '../protocol/places';
import { hasRefused, settle } from './budget';
import { deny } from './denial';
import { eventOf, rootOf } from '../http/endpoint';
import { keepReplyRemovals, putRemovals } from '../http/forwarded-headers';
import { areHeaders, findHeader, headerValue, headerValueBytes, putName } from '../http/headers';
import { is, startsWithFolded } from '../http/literal';
import { beginReply, onReply } from './reply';
import { BODY_BYTES_MAX } from './request-phase';
import { onChunks } from '../retrieval/chunks';
import { PHASE_DONE, PHASE_PASS, PHASE_REPLY, PHASE_SENT, PHASE_STREAM, Session } from './session-state';
import { beginStream, onStreamBytes, onStreamEnd } from '../stream/stream';

/** How the host hands over the response's body. */
const REPLY_WHOLE: u32 = 1;
const REPLY_AS_IT_COMES: u32 = 2;

const contentLength: usize = memory.data<u8>([
  0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x6c, 0x65, 0x6e, 0x67, 0x74, 0x68,
]);

export function onResponseHeaders(s: Session, ptr: usize, length: u32, eos: bool): i32 {
  const o = s.out();
  o.replyMode = 0;
  // What does not answer a request that was sent is Envoy's own, or ours.
  if (s.phase != PHASE_SENT) return ACTION_CONTINUE;
  if (!areHeaders(ptr, length) || findHeader(ptr, ':status') != 1)
    return deny(s, 502, "the upstream's headers cannot be read");
  s.status = 0;
  for (let i: u32 = 0; i < headerValueBytes && i < 3; i += 1)
    s.status = s.status * 10 + <u32>load<u8>(headerValue + i) - 0x30;
  if (s.status < 200) return ACTION_CONTINUE;
  const encodings = findHeader(ptr, 'content-encoding');
  if (encodings > 1 || (encodings == 1 && !is(headerValue, headerValueBytes, 'identity')))
    return deny(s, 502, "the upstream's reply is compressed, so it cannot be read");
  if (s.status >= 300 && s.status < 400) {
    settle(s, false);
    return deny(s, 502, 'the upstream sent the caller elsewhere, where nothing is governed');
  }
  keepReplyRemovals(s, ptr);
  if (s.failed) return deny(s, 503, 'this gateway has no memory left for the reply');
  if (eos) {
    putRemovals(s);
    settle(s, hasRefused(s.status));
    s.phase = PHASE_DONE;
    return ACTION_CONTINUE;
  }
  if (eventOf(s.endpoint) == ENDPOINT_PASS && s.status < 400) {
    putRemovals(s);
    s.phase = PHASE_PASS;
    return ACTION_CONTINUE;
  }
  beginReply(s);
  const isStream =
    findHeader(ptr, 'content-type') == 1 && startsWithFolded(headerValue, headerValueBytes, 'text/event-stream');
  if (isStream && s.status < 400 && rootOf(s.endpoint, ENDPOINT_STREAM) != 0) {
    if (!beginStream(s)) return deny(s, 503, 'this gateway has no memory left for the reply');
    o.replyMode = s.streamOf().buffered ? REPLY_WHOLE : REPLY_AS_IT_COMES;
    putName(o.removeRun(), contentLength, 14);
    if (!s.streamOf().buffered) putRemovals(s);
    s.phase = PHASE_STREAM;
    return s.streamOf().buffered ? ACTION_HOLD : ACTION_CONTINUE;
  }
  o.replyMode = REPLY_WHOLE;
  s.phase = PHASE_REPLY;
  return ACTION_HOLD;
}

export function onResponseBody(s: Session, ptr: usize, length: u32, eos: bool): i32 {
  if (s.phase == PHASE_STREAM) {
    const action = onStreamBytes(s, ptr, length);
    return eos && s.phase == PHASE_STREAM ? onStreamEnd(s) : action;
  }
  if (s.phase == PHASE_REPLY) {
    const body = s.bodyBytes();
    if (<u64>body.len + <u64>length > <u64>BODY_BYTES_MAX)
      return deny(s, 502, "the upstream's reply is larger than this gateway reads");
    body.append(ptr, length);
    if (body.failed) return deny(s, 503, 'this gateway has no memory left for the reply');
    return eos ? onResponseEnd(s) : ACTION_HOLD;
  }
  // After a refusal in mid-stream the rest is swallowed.
  if (s.phase == PHASE_DONE && s.stream != 0) s.out().bodyMode = 1;
  return ACTION_CONTINUE;
}

/** The body is complete: by its end, or by trailers. */
export function onResponseEnd(s: Session): i32 {
  if (s.phase == PHASE_STREAM) return onStreamEnd(s);
  if (s.phase != PHASE_REPLY) return ACTION_CONTINUE;
  const event = eventOf(s.endpoint);
  return event == ENDPOINT_RETRIEVAL && s.status < 400 ? onChunks(s) : onReply(s);
}
