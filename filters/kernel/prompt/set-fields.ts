/**
 * Fields of the provider's wire format that rules set (`set prompt.store to false`): the value stands in the body,
 * whatever the client wrote there. Which fields there are is in the protocol's table.
 */
import { Bytes } from '../bytes';
import { Arena } from '../decision/api';
import {
  expect,
  openDocument,
  position,
  readText,
  skipValue,
  takes,
  textAt,
  textBytes,
} from '../decision/json-document';
import { RESULT_SITE, SET_BYTES, SET_FIELD, SET_NODE, SET_VALUE, SITE_AT_FIRED, SITE_SETS } from '../decision/layout';
import { isSameText, isSet } from '../decision/render';
import { addEdit, dropInside } from '../edit/edits';
import { protocolSection } from '../http/endpoint';
import { put } from '../http/literal';
import { findField } from '../json/keys';
import { skipSpace } from '../json/scan';
import * as P from '../protocol/places';
import { messageOf, reply } from '../session/denial';
import { Session } from '../session/session-state';

/** Depth of the body's fields, for the reader that passes over them. */
const FIELD_DEPTH: u32 = 2;

/** -1, or the action of a refusal: two values for one field, or one that the protocol does not take. */
export function setFields(s: Session): i32 {
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const count = load<u32>(site, SITE_SETS + 4);
  const fired = s.result + load<u32>(site, SITE_AT_FIRED);
  let entry = <usize>load<u32>(site, SITE_SETS);
  let last: usize = 0;
  for (let at: u32 = 0; at < count; at += 1, entry += SET_BYTES) {
    if (!isSet(fired, load<u32>(entry, SET_NODE))) continue;
    if (last != 0 && isSameText(last + SET_FIELD, entry + SET_FIELD)) {
      if (isSameText(last + SET_VALUE, entry + SET_VALUE)) continue;
      return denySetting(s, entry, '` to two values');
    }
    last = entry;
    const node = settable(s, entry);
    if (node == 0) continue;
    if (!takesValue(node, load<u32>(entry, SET_VALUE), load<u32>(entry, SET_VALUE + 4)))
      return denySetting(s, entry, "` to a value that this request's protocol does not take");
    setField(s, entry);
  }
  return -1;
}

/** The place of the field in the request's protocol; 0 where it has none that may be set. */
function settable(s: Session, entry: usize): usize {
  const fields = load<u32>(s.endpoint, P.ENDPOINT_SETTABLE);
  if (fields == 0) return 0;
  const section = protocolSection();
  return findField(section, section + fields, load<u32>(entry, SET_FIELD), load<u32>(entry, SET_FIELD + 4));
}

function takesValue(node: usize, value: usize, length: u32): bool {
  const first = <u32>load<u8>(value);
  if (first == 0x74 || first == 0x66) return load<u8>(node, P.NODE_BOOL) != P.PLACE_DENY;
  if (first != 0x22) return load<u8>(node, P.NODE_NUMBER) != P.PLACE_DENY;
  if (load<u8>(node, P.NODE_STRING) == P.PLACE_DENY) return false;
  const offset = load<u32>(node, P.NODE_VALUES);
  if (offset == 0) return true;
  const section = protocolSection();
  const count = load<u32>(section + offset);
  for (let i: u32 = 0; i < count; i += 1) {
    const listed = section + offset + 4 + (i << 3);
    if (load<u32>(listed, 4) == length - 2 && memory.compare(section + load<u32>(listed), value + 1, length - 2) == 0)
      return true;
  }
  return false;
}

/** In place of what the client wrote, or before the body's first field. */
function setField(s: Session, entry: usize): void {
  const body = s.bodyBytes();
  const edits = changetype<Bytes>(s.edits);
  const replacements = changetype<Bytes>(s.replacements);
  const name = <usize>load<u32>(entry, SET_FIELD);
  const nameBytes = load<u32>(entry, SET_FIELD + 4);
  const value = <usize>load<u32>(entry, SET_VALUE);
  const valueBytes = load<u32>(entry, SET_VALUE + 4);
  const text = replacements.len;
  if (findValue(s, name, nameBytes)) {
    replacements.append(value, valueBytes);
    dropInside(edits, valueFrom, valueTo);
    return addEdit(edits, valueFrom, valueTo - valueFrom, text, valueBytes);
  }
  replacements.push(0x22);
  replacements.append(name, nameBytes);
  put(replacements, '":');
  replacements.append(value, valueBytes);
  replacements.push(0x2c);
  const first = skipSpace(body.ptr, body.ptr + body.len) + 1;
  addEdit(edits, <u32>(first - body.ptr), 0, text, replacements.len - text);
}

/** Where the value that `findValue` found stands in the body. */
let valueFrom: u32 = 0;
let valueTo: u32 = 0;

/** Finds the field at the body's top. The body was walked: it is an object, whose keys are known and no two the same. */
function findValue(s: Session, name: usize, nameBytes: u32): bool {
  const body = s.bodyBytes();
  const arena = changetype<Arena>(s.arena);
  openDocument(body.ptr, body.len);
  if (!takes(0x7b)) return false;
  do {
    if (!readText<Arena>(arena)) return false;
    const isIt = textBytes == nameBytes && memory.compare(textAt, name, nameBytes) == 0;
    if (!expect(0x3a)) return false;
    const from = skipSpace(position(), body.ptr + body.len);
    if (!skipValue(FIELD_DEPTH)) return false;
    if (!isIt) continue;
    valueFrom = <u32>(from - body.ptr);
    valueTo = <u32>(position() - body.ptr);
    return true;
  } while (takes(0x2c));
  return false;
}

function denySetting(s: Session, entry: usize, what: string): i32 {
  const message = messageOf(s);
  put(message, 'rules of the policy set `');
  message.append(load<u32>(entry, SET_FIELD), load<u32>(entry, SET_FIELD + 4));
  put(message, what);
  return reply(s, 403, message);
}
