/** Reads `google.protobuf.Struct`: JSON in protobuf's clothes. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { malformed } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';

/** Objects and arrays in each other: no claim needs more, and the reader's own stack is spared. */
export const DEPTH_MAX = 32;

/** The Struct that the field at hand is. Throws DoorError. */
export function readStruct(reader: WireReader, depth = 0): JsonObject {
  if (depth >= DEPTH_MAX) throw malformed('values that are nested too deep');
  // Without a prototype: names are the caller's own, `__proto__` among them.
  const object: JsonObject = Object.create(null);
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field !== 1) reader.skip();
    else {
      const [name, value] = readEntry(reader, depth);
      object[name] = value;
    }
  }
  reader.leave(outer);
  return object;
}

function readEntry(reader: WireReader, depth: number): [string, JsonValue] {
  let name = '';
  let value: JsonValue | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) value = readValue(reader, depth);
    else reader.skip();
  }
  reader.leave(outer);
  if (value === undefined) throw malformed('an entry without a value');
  return [name, value];
}

function readValue(reader: WireReader, depth: number): JsonValue {
  let value: JsonValue | undefined;
  const outer = reader.enter();
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        // Null is a number of an enum, whatever the number.
        reader.boolean();
        value = null;
        break;
      case 2:
        value = reader.double();
        if (!Number.isFinite(value)) throw malformed('a number that JSON does not have');
        break;
      case 3:
        value = reader.text();
        break;
      case 4:
        value = reader.boolean();
        break;
      case 5:
        value = readStruct(reader, depth + 1);
        break;
      case 6:
        value = readList(reader, depth + 1);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  if (value === undefined) throw malformed('a value without a kind');
  return value;
}

function readList(reader: WireReader, depth: number): JsonValue[] {
  if (depth >= DEPTH_MAX) throw malformed('values that are nested too deep');
  const list: JsonValue[] = [];
  const outer = reader.enter();
  while (reader.next()) {
    if (reader.field === 1) list.push(readValue(reader, depth));
    else reader.skip();
  }
  reader.leave(outer);
  return list;
}
