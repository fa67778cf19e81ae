/**
 * One value of the document into a fact's slot. False where the value is not exactly of the type; the cursor is then
 * anywhere inside it, and the slot's content is void.
 */
import { FACT_KNOWN, FACT_UNKNOWN, SLOT_BYTES, SLOT_STATE } from '../abi';
import {
  broken,
  countElements,
  expect,
  numberValue,
  peek,
  readNumber,
  readText,
  skipValue,
  takes,
  textAt,
  textBytes,
  textIsWell,
} from './json-document';
import {
  FIELD_BYTES,
  FIELD_OPTIONAL,
  FIELD_TYPE,
  FIELDS_COUNT,
  FIELDS_HEAD_BYTES,
  FIELDS_MOST,
  KIND_BOOL,
  KIND_COLLECTION,
  KIND_DATE,
  KIND_ENUM,
  KIND_ENUM_SET,
  KIND_NUMBER,
  KIND_TEXT,
  KIND_TEXT_SET,
  TYPE_ENUM,
  TYPE_FIELDS,
  TYPE_KIND,
  TYPE_SCALE,
} from './layout';
import { DATE_BYTES, dayOf, NO_DAY } from './dates';
import { writeBits, writeText, writeValue } from './slots';
import { collectionFieldNamed, enumOrdinal, sameBytes } from './tables';

/** As `SET_MEMBERS_MAX` of the plan. */
const SET_MEMBERS_MAX: i32 = 256;
/** The state of a slot that nothing has been read into yet. Never seen outside the loader. */
export const UNSEEN: u32 = 255;

/**
 * `split` is the place of the separator (text) that cuts a text into a set, 0 where there is none. `keep` copies texts
 * into the arena, because the document does not live as long as the facts.
 */
export function readValue<A>(type: usize, split: usize, slot: usize, arena: A, keep: bool, depth: u32): bool {
  const first = peek();
  switch (<u32>load<u8>(type, TYPE_KIND)) {
    case KIND_BOOL:
      if (first != 0x74 && first != 0x66) return false;
      if (!skipValue(depth)) return false;
      writeValue(slot, first == 0x74 ? 1 : 0);
      return true;
    case KIND_NUMBER:
      if (first != 0x2d && first - 0x30 > 9) return false;
      if (!readNumber(load<u8>(type, TYPE_SCALE))) return false;
      writeValue(slot, numberValue);
      return true;
    case KIND_DATE: {
      if (first != 0x22 || !readText<A>(arena) || textBytes != DATE_BYTES) return false;
      const day = dayOf(textAt);
      writeValue(slot, day);
      return day != NO_DAY;
    }
    case KIND_TEXT: {
      if (first != 0x22 || !readText<A>(arena) || !textIsWell) return false;
      const text = kept<A>(arena, keep);
      if (textBytes != 0 && text == 0) return false;
      writeText(slot, text, textBytes);
      return true;
    }
    case KIND_ENUM: {
      if (first != 0x22 || !readText<A>(arena)) return false;
      const ordinal = enumOrdinal(load<u16>(type, TYPE_ENUM), textAt, textBytes);
      writeValue(slot, ordinal);
      return ordinal >= 0;
    }
    case KIND_TEXT_SET:
    case KIND_ENUM_SET:
      if (first == 0x22) return split != 0 && readSplitText<A>(type, split, slot, arena, keep);
      return readSet<A>(type, slot, arena, keep, depth);
    case KIND_COLLECTION:
      return readCollection<A>(<usize>load<u32>(type, TYPE_FIELDS), slot, arena, keep, depth);
    default:
      return false;
  }
}

function kept<A>(arena: A, keep: bool): usize {
  if (!keep || textBytes == 0) return textAt;
  const copy = arena.take(textBytes);
  if (copy != 0) memory.copy(copy, textAt, textBytes);
  return copy;
}

// -------------------------------------------------------------------------------------------------------------------
// sets

/** The set that is being read: an enum's bits, or pairs of address and bytes. */
let low: u64 = 0;
let high: u64 = 0;
let pairs: usize = 0;
let members: i32 = 0;

function readSet<A>(type: usize, slot: usize, arena: A, keep: bool, depth: u32): bool {
  const count = countElements(depth);
  if (count < 0 || count > SET_MEMBERS_MAX) return false;
  if (!beginSet<A>(type, arena, count)) return false;
  expect(0x5b);
  for (let n = 0; n < count; n++) {
    if (n > 0) expect(0x2c);
    if (peek() != 0x22 || !readText<A>(arena) || !textIsWell) return false;
    if (!addMember<A>(type, arena, keep)) return false;
  }
  expect(0x5d);
  return endSet(type, slot);
}

/** A text cut at a separator: pieces without surrounding spaces, empty ones dropped. */
function readSplitText<A>(type: usize, split: usize, slot: usize, arena: A, keep: bool): bool {
  if (!readText<A>(arena) || !textIsWell) return false;
  const separator = <usize>load<u32>(split);
  const width = load<u32>(split, 4);
  const text = kept<A>(arena, keep);
  if (textBytes != 0 && text == 0) return false;
  const last = text + textBytes;
  if (!beginSet<A>(type, arena, SET_MEMBERS_MAX)) return false;
  let from = text;
  while (from <= last) {
    let to = from;
    while (to < last && !(to + width <= last && sameBytes(to, separator, width))) to++;
    const next = to + width;
    while (from < to && load<u8>(from) <= 0x20) from++;
    while (from < to && load<u8>(to - 1) <= 0x20) to--;
    textAt = from;
    textBytes = <u32>(to - from);
    if (textBytes != 0 && (members == SET_MEMBERS_MAX || !addMember<A>(type, arena, false))) return false;
    from = next;
  }
  return endSet(type, slot);
}

function beginSet<A>(type: usize, arena: A, count: i32): bool {
  low = 0;
  high = 0;
  members = 0;
  pairs = 0;
  if (load<u8>(type, TYPE_KIND) == KIND_TEXT_SET && count > 0) {
    pairs = arena.take((<u32>count) << 3);
    return pairs != 0;
  }
  return true;
}

function addMember<A>(type: usize, arena: A, keep: bool): bool {
  if (load<u8>(type, TYPE_KIND) == KIND_ENUM_SET) {
    const ordinal = enumOrdinal(load<u16>(type, TYPE_ENUM), textAt, textBytes);
    if (ordinal < 0) return false;
    if (ordinal < 64) low |= (<u64>1) << ordinal;
    else high |= (<u64>1) << (ordinal - 64);
    members++;
    return true;
  }
  const text = kept<A>(arena, keep);
  if (textBytes != 0 && text == 0) return false;
  store<u32>(pairs + ((<usize>members) << 3), <u32>text);
  store<u32>(pairs + ((<usize>members) << 3), textBytes, 4);
  members++;
  return true;
}

function endSet(type: usize, slot: usize): bool {
  if (broken) return false;
  if (load<u8>(type, TYPE_KIND) == KIND_ENUM_SET) writeBits(slot, low, high);
  else writeText(slot, pairs, members);
  return true;
}

// ------------------------------------------------------------------------------------------------------------
// collections

function readCollection<A>(fields: usize, slot: usize, arena: A, keep: bool, depth: u32): bool {
  const count = countElements(depth);
  if (count < 0 || <u32>count > load<u32>(fields, FIELDS_MOST)) return false;
  const width = load<u32>(fields, FIELDS_COUNT) * SLOT_BYTES;
  let elements: usize = 0;
  if (<u32>count * width != 0) {
    elements = arena.take(<u32>count * width);
    if (elements == 0) return false;
  }
  expect(0x5b);
  for (let n = 0; n < count; n++) {
    if (n > 0) expect(0x2c);
    if (!readElement<A>(fields, elements + n * width, arena, keep, depth + 1)) return false;
  }
  expect(0x5d);
  if (broken) return false;
  writeText(slot, elements, count);
  return true;
}

function readElement<A>(fields: usize, element: usize, arena: A, keep: bool, depth: u32): bool {
  const count = load<u32>(fields, FIELDS_COUNT);
  for (let field: u32 = 0; field < count; field++) store<u8>(element + field * SLOT_BYTES, UNSEEN, SLOT_STATE);
  if (!takes(0x7b)) return false;
  if (!takes(0x7d)) {
    do {
      if (!readText<A>(arena) || !expect(0x3a)) return false;
      const field = collectionFieldNamed(fields, textAt, textBytes);
      if (field < 0) {
        if (!skipValue(depth + 1)) return false;
        continue;
      }
      const slot = element + field * SLOT_BYTES;
      if (load<u8>(slot, SLOT_STATE) != UNSEEN) return false;
      const record = fieldAt(fields, field);
      if (peek() == 0x6e && load<u32>(record, FIELD_OPTIONAL) != 0) {
        if (!skipValue(depth + 1)) return false;
        store<u8>(slot, FACT_UNKNOWN, SLOT_STATE);
      } else if (!readValue<A>(record + FIELD_TYPE, 0, slot, arena, keep, depth + 1)) return false;
    } while (takes(0x2c));
    if (!expect(0x7d)) return false;
  }
  for (let field: u32 = 0; field < count; field++) {
    const slot = element + field * SLOT_BYTES;
    const state = load<u8>(slot, SLOT_STATE);
    if (state == FACT_KNOWN) continue;
    if (load<u32>(fieldAt(fields, field), FIELD_OPTIONAL) == 0) return false;
    if (state == UNSEEN) store<u8>(slot, FACT_UNKNOWN, SLOT_STATE);
  }
  return true;
}

function fieldAt(fields: usize, field: u32): usize {
  return fields + FIELDS_HEAD_BYTES + field * FIELD_BYTES;
}
