/**
 * Envoy's `ProcessingRequest` (proto/envoy/service/ext_proc/v3), read by hand: only what an exchange looks at, straight
 * from the bytes. Reading it by generated code costs more than deciding; the tests hold this to what that reads.
 */
import type { JsonObject } from '@bufbuild/protobuf';
import { JWT_METADATA_NAMESPACE } from '../../proto/route-key.ts';
import type { Evidence } from './evidence.ts';
import { NO_EVIDENCE, evidenceOf } from './evidence.ts';
import type { Header } from './session-port.ts';
import { readStruct } from './wire/read-struct.ts';
import { WireReader, malformed } from './wire/wire-reader.ts';

export type Message =
  | {
      readonly kind: 'request_headers';
      readonly headers: readonly Header[];
      readonly end: boolean;
      readonly evidence: Evidence;
    }
  | { readonly kind: 'response_headers'; readonly headers: readonly Header[]; readonly end: boolean }
  | { readonly kind: 'request_body' | 'response_body'; readonly body: Uint8Array; readonly end: boolean }
  | { readonly kind: 'request_trailers' | 'response_trailers'; readonly trailers: readonly Header[] };

const NOTHING = new Uint8Array();

/** Throws DoorError for bytes that are no message, or one of a kind that is not known. */
export function readMessage(bytes: Uint8Array): Message {
  const reader = new WireReader(bytes);
  let message: Message | undefined;
  let metadata: JsonObject | undefined;
  let attributes: JsonObject[] | undefined;
  while (reader.next()) {
    const { field } = reader;
    if (field >= 2 && field <= 7) {
      // Of a oneof, the last would count; a serialiser writes one.
      if (message !== undefined) throw malformed('two messages in one');
      message = readKind(reader, field);
    } else if (field === 10) reader.boolean();
    // Who calls is asked once: with the request's headers. Field 11 is how Envoy is configured, which we know.
    else if (field === 11 || (field >= 8 && field <= 9 && message !== undefined && message.kind !== 'request_headers'))
      reader.bytes();
    else if (field === 8) metadata = readNamespace(reader) ?? metadata;
    else if (field === 9) (attributes ??= []).push(readAttributes(reader));
    else reader.skip();
  }
  if (message === undefined) throw malformed('a kind that is not known');
  if (message.kind !== 'request_headers' || (metadata === undefined && attributes === undefined)) return message;
  return { ...message, evidence: evidenceOf(metadata, attributes ?? []) };
}

function readKind(reader: WireReader, field: number): Message {
  switch (field) {
    case 2: {
      const { headers, end } = readHeaders(reader);
      return { kind: 'request_headers', headers, end, evidence: NO_EVIDENCE };
    }
    case 3: {
      const { headers, end } = readHeaders(reader);
      return { kind: 'response_headers', headers, end };
    }
    case 4:
    case 5:
      return readBody(reader, field === 4 ? 'request_body' : 'response_body');
    default:
      return readTrailers(reader, field === 6 ? 'request_trailers' : 'response_trailers');
  }
}

function readHeaders(reader: WireReader): { headers: Header[]; end: boolean } {
  const headers: Header[] = [];
  let end = false;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) readHeaderMap(reader, headers);
    else if (reader.field === 3) end = reader.boolean();
    else reader.skip();
  }
  reader.leave(outer);
  return { headers, end };
}

function readBody(reader: WireReader, kind: 'request_body' | 'response_body'): Message {
  let body: Uint8Array = NOTHING;
  let end = false;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) body = reader.bytes();
    else if (reader.field === 2) end = reader.boolean();
    else reader.skip();
  }
  reader.leave(outer);
  return { kind, body, end };
}

function readTrailers(reader: WireReader, kind: 'request_trailers' | 'response_trailers'): Message {
  const trailers: Header[] = [];
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) readHeaderMap(reader, trailers);
    else reader.skip();
  }
  reader.leave(outer);
  return { kind, trailers };
}

function readHeaderMap(reader: WireReader, into: Header[]): void {
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) into.push(readHeader(reader));
    else reader.skip();
  }
  reader.leave(outer);
}

/** A header's value is bytes; Latin-1 keeps each as it is. */
function readHeader(reader: WireReader): Header {
  let name = '';
  let text = '';
  let raw = '';
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) text = reader.text();
    else if (reader.field === 3) raw = reader.latin1();
    else reader.skip();
  }
  reader.leave(outer);
  return [name, raw === '' ? text : raw];
}

/** What `jwt_authn` left in Envoy's dynamic metadata; the other namespaces are none of ours. */
function readNamespace(reader: WireReader): JsonObject | undefined {
  let found: JsonObject | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const { key, value } = readMapEntry(reader);
    if (key === JWT_METADATA_NAMESPACE) found = value;
  }
  reader.leave(outer);
  return found;
}

/** Envoy's attributes, which it sorts by the name of the filter that asked. */
function readAttributes(reader: WireReader): JsonObject {
  return readMapEntry(reader).value;
}

function readMapEntry(reader: WireReader): { key: string; value: JsonObject } {
  let key = '';
  let value: JsonObject = {};
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else if (reader.field === 2) value = readStruct(reader);
    else reader.skip();
  }
  reader.leave(outer);
  return { key, value };
}
