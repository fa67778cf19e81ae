/**
 * The answers of the external-processing protocol: Envoy's `ProcessingResponse` (proto/envoy/service/ext_proc/v3), as
 * gRPC sends it. Writes messages, decides nothing. The tests read them back with generated code.
 */
import type { Header, HeaderEdits } from './session-port.ts';
import { NO_EDITS } from './session-port.ts';
import { WireWriter } from './wire/wire-writer.ts';

/** Envoy's limit for one chunk in FULL_DUPLEX_STREAMED. */
export const CHUNK_BYTES_MAX = 64 * 1024;
/** HeaderValueOption's append_action. */
const OVERWRITE_IF_EXISTS_OR_ADD = 2;
const NOTHING = new Uint8Array();

export type Direction = 'request' | 'response';

// The fields of ProcessingResponse.
const HEADERS_FIELD = { request: 1, response: 2 } as const;
const BODY_FIELD = { request: 3, response: 4 } as const;
const TRAILERS_FIELD = { request: 5, response: 6 } as const;
const IMMEDIATE_FIELD = 7;

/** One for all: an answer is written in one go. */
const writer = new WireWriter();
const UNCHANGED = {
  request: headersMessage('request', NO_EDITS, false),
  response: headersMessage('response', NO_EDITS, false),
};

export function headersAnswer(direction: Direction, edits: HeaderEdits, reroute = false): Uint8Array {
  return edits.set.length === 0 && edits.remove.length === 0 && !reroute
    ? UNCHANGED[direction]
    : headersMessage(direction, edits, reroute);
}

/** The answer to a buffered body; `body` undefined leaves it as it came. */
export function bufferedBodyAnswer(edits: HeaderEdits, body: Uint8Array | undefined, reroute: boolean): Uint8Array {
  writer.clear();
  if (reroute) writer.number(5, 1);
  if (body !== undefined) {
    const { mark } = writer;
    writer.bytes(1, body);
    writer.message(3, mark);
  }
  writeMutation(2, edits);
  writer.message(1, 0);
  writer.message(BODY_FIELD.request, 0);
  return framed();
}

/** The chunks of a streamed reply, at least one if it ends here. */
export function streamedBodyAnswers(body: Uint8Array, end: boolean): Uint8Array[] {
  writer.clear();
  const answers: Uint8Array[] = [];
  for (let at = 0; at < body.length || (end && at === 0); at += CHUNK_BYTES_MAX) {
    const isLast = at + CHUNK_BYTES_MAX >= body.length;
    if (end && isLast) writer.number(2, 1);
    const chunk = body.length === 0 ? NOTHING : body.subarray(at, at + CHUNK_BYTES_MAX);
    if (chunk.length > 0) writer.bytes(1, chunk);
    // StreamedBodyResponse, BodyMutation, CommonResponse, BodyResponse.
    writer.message(3, 0);
    writer.message(3, 0);
    writer.message(1, 0);
    writer.message(BODY_FIELD.response, 0);
    answers.push(framed());
  }
  return answers;
}

export function trailersAnswer(direction: Direction, edits: HeaderEdits): Uint8Array {
  writer.clear();
  writeMutation(1, edits);
  writer.message(TRAILERS_FIELD[direction], 0);
  return framed();
}

/** Answers the client in the upstream's place. Envoy sets the content-length. */
export function immediateAnswer(reply: {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}): Uint8Array {
  writer.clear();
  writer.latin1(5, 'writ');
  if (reply.body.length > 0) writer.bytes(3, reply.body);
  writeMutation(2, { set: reply.headers, remove: [] });
  const { mark } = writer;
  // Envoy takes every number from 200 to 599.
  writer.number(1, reply.status);
  writer.message(1, mark);
  writer.message(IMMEDIATE_FIELD, 0);
  return framed();
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
  return writer.take();
}
