/**
 * An exchange that is over, as rules on exchanges decide it: once, by what is known of its prompt and of its reply,
 * however it ended. Nothing of it changes any more; what they tag stands in the log, what they keep is kept.
 */
import {
  EVENT_CHUNK,
  EVENT_COMPLETION,
  EVENT_EXCHANGE,
  EVENT_INGEST,
  EVENT_RETRIEVAL,
  FACT_COMPLETION_CLASSIFICATION,
  T_EXCHANGE,
} from '../abi';
import { carryChoice, classificationOf, setValue, slotOf } from '../decision/api';
import { RESULT_SITE, SITE_EVENT } from '../decision/layout';
import { section } from '../decision/tables';
import { setFound } from '../prompt/messages';
import { decideEvent, decideQuietly } from './record';
import { Session } from './session-state';

/** Once, before what is kept is told. Of what has no prompt that was decided there is no exchange. */
export function decideExchange(s: Session): void {
  if (section(T_EXCHANGE) == 0 || s.isOver) return;
  s.isOver = true;
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  if (site == 0 || !isOfPrompt(<u32>load<u8>(site, SITE_EVENT))) return;
  if (!s.isReply) carryChoice(s.facts, s.result);
  else if (slotOf(s.facts, FACT_COMPLETION_CLASSIFICATION) != 0) carryClass(s);
  decideEvent(s, EVENT_EXCHANGE, 0);
}

/** Of a prompt, or of what its reply holds. */
function isOfPrompt(event: u32): bool {
  return event != EVENT_RETRIEVAL && event != EVENT_CHUNK && event != EVENT_INGEST;
}

/** The class of the reply, as far as it came: the last decision may have been one of its calls'. */
function carryClass(s: Session): void {
  setFound(s);
  decideQuietly(s, EVENT_COMPLETION, 0);
  const rank = classificationOf(s.result);
  if (rank >= 0) setValue(s.facts, FACT_COMPLETION_CLASSIFICATION, rank);
}
