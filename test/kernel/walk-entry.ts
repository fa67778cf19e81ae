// The walker alone: `walk_document` answers a code, `records` and `records_length` what was found.
import { Bytes } from '../../filters/kernel/bytes';
import { walk, walkPlace, placeName } from '../../filters/kernel/json/walk';
import { alloc, bytesInUse, free } from '../../filters/kernel/memory';
import { tables } from '../../filters/kernel/policy';

let found: usize = 0;
let code: i32 = 0;
let section: usize = 0;

export function writ_alloc(size: u32): usize {
  return alloc(size);
}
export function writ_free(p: usize): void {
  free(p);
}
export function in_use(): u32 {
  return bytesInUse;
}
export function walk_document(p: usize, length: u32, node: u32): i32 {
  if (found == 0) found = changetype<usize>(Bytes.create());
  const records = changetype<Bytes>(found);
  records.clear();
  section = <usize>load<u32>(tables() + 32);
  code = walk(p, length, section, section + node, records);
  return code;
}
export function records(): usize {
  return changetype<Bytes>(found).ptr;
}
export function records_length(): u32 {
  return changetype<Bytes>(found).len;
}
export function place(): usize {
  return walkPlace == 0 ? 0 : placeName(section, walkPlace);
}
