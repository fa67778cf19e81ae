/**
 * What rules redact in the arguments of one call, beside what the completion's rules redact in all of the reply. Noted as
 * the call is decided, once for each tool that it is of: they unite, and the strongest mode counts.
 */
import { EVENT_TOOL_CALL, T_RULES } from '../abi';
import { Arena } from '../decision/api';
import {
  REDACT_NONE,
  REDACT_RESTORED,
  RESULT_SITE,
  SITE_AT_REDACTIONS,
  SITE_EVENT,
  SITE_REDACTIONS,
} from '../decision/layout';
import { section } from '../decision/tables';
import { detectorCount } from '../edit/placeholders';
import { bitOf } from '../bits';
import { CALL_REDACTS, redactsAt } from './call-entries';
import { Session } from './session-state';
import { CALL_AROUND_HIGH, CALL_AROUND_LOW, CALL_VERDICT, callAt, VERDICT_NONE } from './tool-calls';

/** Some rule redacts in calls. */
export function redactsCalls(): boolean {
  const sites = section(T_RULES);
  if (sites == 0) return false;
  const count = load<u32>(sites, 4);
  const list = <usize>load<u32>(sites);
  for (let i: u32 = 0; i < count; i += 1) {
    const site = <usize>load<u32>(list + (i << 2));
    if (<u32>load<u8>(site, SITE_EVENT) == EVENT_TOOL_CALL && load<u32>(site, SITE_REDACTIONS + 4) > 0) return true;
  }
  return false;
}

/** Adds what the decision in `s.result` redacts in the call. */
export function noteRedactions(s: Session, call: usize): void {
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  if (site == 0 || load<u32>(site, SITE_REDACTIONS + 4) == 0) return;
  const count = detectorCount();
  const asked = s.result + load<u32>(site, SITE_AT_REDACTIONS);
  let noted = <usize>load<u32>(call, CALL_REDACTS);
  for (let d: u32 = 0; d < count; d += 1) {
    const one = <u32>load<u8>(asked + d);
    if (one == REDACT_NONE) continue;
    if (noted == 0) {
      noted = changetype<Arena>(s.arena).take(count);
      if (noted == 0) {
        s.failed = true;
        return;
      }
      memory.fill(noted, 0, count);
      store<u32>(call, <u32>noted, CALL_REDACTS);
    }
    store<u8>(noted + d, <u8>strongest(<u32>load<u8>(noted + d), one));
  }
}

/** Of two bytes of a result: the stronger mode, and whether either means restored values too. */
export function strongest(a: u32, b: u32): u32 {
  const x = a & ~REDACT_RESTORED;
  const y = b & ~REDACT_RESTORED;
  return (x > y ? x : y) | ((a | b) & REDACT_RESTORED);
}

/** A value that rules redact stands in the call, but not in its arguments: in its name, perhaps. */
export function isFoundAround(call: usize): bool {
  const noted = <usize>load<u32>(call, CALL_REDACTS);
  if (noted == 0) return false;
  const low = load<u64>(call, CALL_AROUND_LOW);
  const high = load<u64>(call, CALL_AROUND_HIGH);
  const count = detectorCount();
  for (let d: u32 = 0; d < count; d += 1)
    if (load<u8>(noted + d) != REDACT_NONE && ((d < 64 ? low : high) & bitOf(d)) != 0) return true;
  return false;
}

/** The call at a position from 1 has no verdict yet, so that nobody knows what is redacted in it. */
export function waitsForRedactions(s: Session, position: u32): bool {
  return position != 0 && load<u8>(callAt(s, position - 1), CALL_VERDICT) == VERDICT_NONE && redactsCalls();
}

export { redactsAt };
