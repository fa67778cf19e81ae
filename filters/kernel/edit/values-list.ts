/** Whether a string is one of the values that its place lists. */
import { RECORD_END, RECORD_NODE, RECORD_START } from '../json/walk';
import { NODE_VALUES } from '../protocol/places';
import { protocolSection } from '../http/endpoint';

/** Position of the record's string among its place's values, or -1. A string with escapes is none of them. */
export function listed(document: usize, record: usize): i32 {
  const section = protocolSection();
  const offset = load<u32>(<usize>load<u32>(record, RECORD_NODE), NODE_VALUES);
  if (offset == 0) return -1;
  const table = section + offset;
  const count = load<u32>(table);
  const p = document + load<u32>(record, RECORD_START) + 1;
  const length = load<u32>(record, RECORD_END) - load<u32>(record, RECORD_START) - 2;
  for (let i: u32 = 0; i < count; i += 1) {
    const entry = table + 4 + (i << 3);
    if (load<u32>(entry, 4) == length && memory.compare(section + load<u32>(entry), p, length) == 0) return i;
  }
  return -1;
}

export function isListed(document: usize, record: usize): bool {
  return listed(document, record) >= 0;
}
