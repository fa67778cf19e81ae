/** Deciding an event, and keeping the decision for the log. No text of the exchange is in a decision. */
import { decide, resultBytes } from '../policy';
import { chosenModel, renderDecision } from '../decision/api';
import { EVENT_PROMPT } from '../abi';
import { Session } from './session-state';

/** Bytes of decisions that are kept; of very many chunks or documents the first. */
const RECORDS_BYTES_MAX: u32 = 262_144;

/** Decides the event into `s.result`, and records the decision. */
export function decideEvent(s: Session, event: i32, store: i32): void {
  decideQuietly(s, event, store);
  recordDecision(s);
}

/** Decides the event into `s.result`; for decisions that later ones replace. */
export function decideQuietly(s: Session, event: i32, store: i32): void {
  memory.fill(s.result, 0, resultBytes());
  decide(event, store, s.facts, s.result);
  if (event == EVENT_PROMPT) s.chosen = chosenModel(s.result);
}

/** Records the decision in `s.result`. */
export function recordDecision(s: Session): void {
  if (s.out().recordsRun().len <= RECORDS_BYTES_MAX) recordAlways(s);
}

/** Records it however many there are: the one for which an exchange is refused must not be missing. */
export function recordAlways(s: Session): void {
  const records = s.out().recordsRun();
  renderDecision(s.result, records);
  records.push(0x0a);
}
