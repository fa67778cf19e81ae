/** The ticket that a request carries: 32 hexadecimal digits in `x-writ-ticket`, read only where the policy gives any. */
import { T_REVIEW } from '../abi';
import { Arena } from '../decision/api';
import { section } from '../decision/tables';
import { findHeader, headerValue, headerValueBytes } from '../http/headers';
import { Session } from '../session/session-state';

export const TICKET_BYTES: u32 = 32;

/** False where there are two, or one that is no ticket. */
export function keepTicket(s: Session, headers: usize): bool {
  if (section(T_REVIEW) == 0) return true;
  const count = findHeader(headers, 'x-writ-ticket');
  if (count == 0) return true;
  if (count > 1 || !isTicket(headerValue, headerValueBytes)) return false;
  const kept = changetype<Arena>(s.arena).take(TICKET_BYTES);
  if (kept == 0) {
    s.failed = true;
    return true;
  }
  memory.copy(kept, headerValue, TICKET_BYTES);
  s.ticket = kept;
  return true;
}

/** In lower case, as it was given. */
export function isTicket(p: usize, length: u32): bool {
  if (length != TICKET_BYTES) return false;
  for (let i: u32 = 0; i < length; i += 1) {
    const c = <u32>load<u8>(p + i);
    if (c - 0x30 > 9 && c - 0x61 > 5) return false;
  }
  return true;
}
