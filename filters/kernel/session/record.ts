/** Deciding an event, and keeping the decision for the log. No text of the exchange is in a decision. */
import { decide, resultBytes } from '../policy';
import { chosenModel, renderDecision } from '../decision/api';
import { EVENT_CHUNK, EVENT_INGEST, EVENT_PROMPT } from '../abi';
import { readFeeds } from '../feeds/read-feeds';
import { noteKeeps } from '../keep/keeps';
import { Session } from './session-state';

import { NO_STORE } from '../feeds/layout';

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
  // What is of no chunk was settled with the request, and a chunk's own facts are of this one.
  if (event != EVENT_CHUNK) readFeeds(s.facts, s.now, NO_STORE);
  if (event == EVENT_CHUNK || event == EVENT_INGEST) readFeeds(s.facts, s.now, store);
  decide(event, store, s.facts, s.result);
  if (event == EVENT_PROMPT) s.chosen = chosenModel(s.result);
}

/** Records the decision in `s.result`. */
export function recordDecision(s: Session): void {
  noteKeeps(s);
  if (s.out().recordsRun().len <= RECORDS_BYTES_MAX) recordAlways(s);
}

/** Records it however many there are: the one for which an exchange is refused must not be missing. */
export function recordAlways(s: Session): void {
  const records = s.out().recordsRun();
  renderDecision(s.result, records);
  records.push(0x0a);
}
