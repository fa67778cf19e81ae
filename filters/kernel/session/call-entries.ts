/** How much the entry of a call takes (tool-calls.ts says what is in it), and giving all of them back. */
import { Bytes } from '../bytes';

export const CALL_BYTES: u32 = 60;
/** The arguments: JSON text (an address of Bytes, 0: none). */
export const CALL_ARGUMENTS: usize = 52;

/** Frees the entries (an address of Bytes, 0: none) and what they hold. */
export function freeCalls(entries: usize): void {
  if (entries == 0) return;
  const calls = changetype<Bytes>(entries);
  for (let at: u32 = 0; at < calls.len; at += CALL_BYTES) {
    const given = load<u32>(calls.ptr + at, CALL_ARGUMENTS);
    if (given != 0) changetype<Bytes>(given).destroy();
  }
  calls.destroy();
}
