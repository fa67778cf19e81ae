/**
 * A connection to a host outside: what the policy says of the name that its TLS hello asks for (RFC 6066 §3, SNI).
 * Nothing else of the connection is read; who opened it is not known.
 */
import { EVENT_EGRESS, FACT_EGRESS_HOST } from '../abi';
import { isAllowed, setText } from '../decision/api';
import { decideEvent } from '../session/record';
import { Session } from '../session/session-state';

/** RFC 1035 §2.3.4. */
const HOST_BYTES_MAX: u32 = 253;
const NO_STORE: i32 = -1;

const host: usize = memory.data(253);

/** Decides, and records the decision. True: the connection may go on. */
export function decideEgress(s: Session, name: usize, length: u32): bool {
  if (copyHost(name, length)) setText(s.facts, FACT_EGRESS_HOST, host, length);
  decideEvent(s, EVENT_EGRESS, NO_STORE);
  return isAllowed(s.result);
}

/**
 * Copies the name in small letters. False, and the fact has failed, where it is none that a server's certificate can
 * have: an address, a name with a dot at its end, or what is no name at all. Each could be another way to write a name
 * that the policy knows.
 */
function copyHost(name: usize, length: u32): bool {
  if (length == 0 || length > HOST_BYTES_MAX) return false;
  let label: u32 = 0;
  let isNumber = true;
  for (let i: u32 = 0; i < length; i += 1) {
    let c = <u32>load<u8>(name + i);
    if (c == 0x2e) {
      if (label == 0) return false;
      label = 0;
      isNumber = true;
      store<u8>(host + i, c);
      continue;
    }
    if (c - 0x41 <= 25) c += 0x20;
    const isDigit = c - 0x30 <= 9;
    if (!isDigit && c - 0x61 > 25 && c != 0x2d && c != 0x5f) return false;
    if (!isDigit) isNumber = false;
    label += 1;
    store<u8>(host + i, c);
  }
  return label > 0 && !isNumber;
}
