/** How much the entry of a call takes (tool-calls.ts says what is in it), what is redacted in one, and giving all of them back. */
import { Bytes } from '../bytes';

export const CALL_BYTES: u32 = 76;
/** The arguments: JSON text (an address of Bytes, 0: none). */
export const CALL_ARGUMENTS: usize = 52;
/** What rules redact in the arguments: a byte a detector, as in a decision's result (an address, 0: nothing). */
export const CALL_REDACTS: usize = 56;

/** What rules redact in the call at a position from 1 (0: no call); 0: nothing beside what the completion's rules do. */
export function redactsAt(entries: usize, position: u32): usize {
  if (entries == 0 || position == 0) return 0;
  return <usize>load<u32>(changetype<Bytes>(entries).ptr + (position - 1) * CALL_BYTES, CALL_REDACTS);
}

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
