/**
 * Keys of an object against the fields that its place knows. A key that is not a field, but that some parser would take
 * for one (Go's folds case, the long s and the Kelvin sign included), is a twin, and the body is refused.
 */
import { NODE_FIELDS } from '../protocol/places';

/** Position of the field that `findField` found last. */
export let fieldIndex: u32 = 0;

/** The node of the field named [key, key + length), or 0. */
export function findField(section: usize, node: usize, key: usize, length: u32): usize {
  const offset = load<u32>(node, NODE_FIELDS);
  if (offset == 0) return 0;
  const table = section + offset;
  const count = load<u32>(table);
  let entry = table + 4;
  for (let i: u32 = 0; i < count; i += 1, entry += 12) {
    if (load<u32>(entry, 4) == length && memory.compare(section + load<u32>(entry), key, length) == 0) {
      fieldIndex = i;
      return section + load<u32>(entry, 8);
    }
  }
  return 0;
}

/** Whether the key folds to a field's name without being it. */
export function isTwin(section: usize, node: usize, key: usize, length: u32): bool {
  const offset = load<u32>(node, NODE_FIELDS);
  if (offset == 0) return false;
  const table = section + offset;
  const count = load<u32>(table);
  let entry = table + 4;
  for (let i: u32 = 0; i < count; i += 1, entry += 12) {
    if (foldsTo(key, length, section + load<u32>(entry), load<u32>(entry, 4))) return true;
  }
  return false;
}

/** Whether [key, …) with case folded is the lower-case ASCII name. */
function foldsTo(key: usize, length: u32, name: usize, nameLength: u32): bool {
  let i: u32 = 0;
  let j: u32 = 0;
  while (i < length && j < nameLength) {
    let c = <u32>load<u8>(key + i);
    if (c == 0xc5 && i + 1 < length && load<u8>(key + i + 1) == 0xbf) {
      c = 0x73;
      i += 2;
    } else if (c == 0xe2 && i + 2 < length && load<u8>(key + i + 1) == 0x84 && load<u8>(key + i + 2) == 0xaa) {
      c = 0x6b;
      i += 3;
    } else {
      if (c - 0x41 <= 25) c |= 0x20;
      i += 1;
    }
    if (c != <u32>load<u8>(name + j)) return false;
    j += 1;
  }
  return i == length && j == nameLength;
}
