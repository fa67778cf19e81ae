/**
 * The answers of the external-processing protocol: Envoy's `ProcessingResponse` (proto/envoy/service/ext_proc/v3), as
 * gRPC sends it. Writes messages, decides nothing. The tests read them back with generated code. A body stands at the
 * end of its message, so that it is sent from where it lies.
 */
import type { Header, HeaderEdits } from './session-port.ts';
import { NO_EDITS } from './session-port.ts';
import { WireWriter } from './wire/wire-writer.ts';

/** Envoy's limit for one chunk in FULL_DUPLEX_STREAMED. */
export const CHUNK_BYTES_MAX = 64 * 1024;
/** HeaderValueOption's append_action. */
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** Sends a message: its bytes, and those that stand behind them. Both are the sender's again when it returns. */
export type Send = (head: Uint8Array, body?: Uint8Array) => void;

export type Direction = 'request' | 'response';

// The fields of ProcessingResponse.
const HEADERS_FIELD = { request: 1, response: 2 } as const;
const BODY_FIELD = { request: 3, response: 4 } as const;
const TRAILERS_FIELD = { request: 5, response: 6 } as const;
const IMMEDIATE_FIELD = 7;

/** One for all: an answer is written in one go. */
const writer = new WireWriter();
const UNCHANGED = {
  request: Buffer.from(headersMessage('request', NO_EDITS, false)),
  response: Buffer.from(headersMessage('response', NO_EDITS, false)),
};

export function sendHeaders(send: Send, direction: Direction, edits: HeaderEdits, reroute = false): void {
  send(
    edits.set.length === 0 && edits.remove.length === 0 && !reroute
      ? UNCHANGED[direction]
      : headersMessage(direction, edits, reroute),
  );
}

/** The answer to a buffered body; `body` undefined leaves it as it came. */
export function sendBufferedBody(send: Send, edits: HeaderEdits, body: Uint8Array | undefined, reroute: boolean): void {
  writer.clear();
  if (body !== undefined) {
    writer.tail(1, body.length);
    writer.message(3, 0);
  }
  if (reroute) writer.number(5, 1);
  writeMutation(2, edits);
  writer.message(1, 0);
  writer.message(BODY_FIELD.request, 0);
  send(framed(), body);
}

/** The chunks of a streamed reply, at least one if it ends here. */
export function sendStreamedBody(send: Send, body: Uint8Array, end: boolean): void {
  for (let at = 0; at < body.length || (end && at === 0); at += CHUNK_BYTES_MAX) {
    const chunk = body.length <= CHUNK_BYTES_MAX ? body : body.subarray(at, at + CHUNK_BYTES_MAX);
    writer.clear();
    if (chunk.length > 0) writer.tail(1, chunk.length);
    if (end && at + CHUNK_BYTES_MAX >= body.length) writer.number(2, 1);
    // StreamedBodyResponse, BodyMutation, CommonResponse, BodyResponse.
    writer.message(3, 0);
    writer.message(3, 0);
    writer.message(1, 0);
    writer.message(BODY_FIELD.response, 0);
    send(framed(), chunk);
  }
}

export function sendTrailers(send: Send, direction: Direction, edits: HeaderEdits): void {
  writer.clear();
  writeMutation(1, edits);
  writer.message(TRAILERS_FIELD[direction], 0);
  send(framed());
}

/** Answers the client in the upstream's place. Envoy sets the content-length. */
export function sendImmediate(
  send: Send,
  reply: { readonly status: number; readonly headers: readonly Header[]; readonly body: Uint8Array },
): void {
  writer.clear();
  if (reply.body.length > 0) writer.tail(3, reply.body.length);
  writer.latin1(5, 'writ');
  writeMutation(2, { set: reply.headers, remove: [] });
  const { mark } = writer;
  // Envoy takes every number from 200 to 599.
  writer.number(1, reply.status);
  writer.message(1, mark);
  writer.message(IMMEDIATE_FIELD, 0);
  send(framed(), reply.body);
}

function headersMessage(direction: Direction, edits: HeaderEdits, reroute: boolean): Uint8Array {
  writer.clear();
  if (reroute) writer.number(5, 1);
  writeMutation(2, edits);
  writer.message(1, 0);
  writer.message(HEADERS_FIELD[direction], 0);
  return framed();
}

/** HeaderMutation, where it changes anything. */
function writeMutation(field: number, { set, remove }: HeaderEdits): void {
  if (set.length === 0 && remove.length === 0) return;
  const { mark } = writer;
  for (let i = remove.length - 1; i >= 0; i--) writer.text(2, remove[i] ?? '');
  for (let i = set.length - 1; i >= 0; i--) writeHeader(set[i] ?? ['', '']);
  writer.message(field, mark);
}

/** HeaderValueOption with its HeaderValue. */
function writeHeader([name, value]: Header): void {
  const outer = writer.mark;
  writer.number(3, OVERWRITE_IF_EXISTS_OR_ADD);
  const { mark } = writer;
  if (value !== '') writer.latin1(3, value);
  writer.text(1, name);
  writer.message(1, mark);
  writer.message(1, outer);
}

function framed(): Uint8Array {
  writer.prefix();
  return writer.written;
}
