/**
 * A write into a store: its texts are scanned, the policy decides, and what is redacted is redacted before anything is
 * stored.
 */
import { EVENT_INGEST } from '../abi';
import { isAllowed } from '../decision/api';
import { Bytes } from '../bytes';
import { NODE_LANE, COLUMN_EMBEDDINGS, PLACE_COLUMN } from '../protocol/places';
import { RECORD_BYTES, RECORD_KIND, RECORD_NODE, recordAt } from '../json/walk';
import { deny, denyByPolicy, denyFixed, denyTooLarge } from '../session/denial';
import { decideEvent } from '../session/record';
import { sendRequest } from '../session/send-request';
import { Session } from '../session/session-state';
import { askCollection, findStore, readStoreRequest } from './store-request';
import { editTexts } from '../edit/texts';

export function onIngest(s: Session): i32 {
  const refused = readStoreRequest(s);
  if (refused >= 0) return refused;
  if (s.failed) return denyTooLarge(s);
  return findStore(s) ? decideIngest(s) : askForIngest(s);
}

/** Asks which collection the id is, until it is known or all were asked. */
export function askForIngest(s: Session): i32 {
  const action = askCollection(s);
  return action >= 0 ? action : deny(s, 403, 'no store of the policy has this collection');
}

export function decideIngest(s: Session): i32 {
  decideEvent(s, EVENT_INGEST, s.store);
  if (!isAllowed(s.result)) return denyByPolicy(s, 403);
  if (!editTexts(s, s.bodyBytes().ptr)) return denyFixed(s);
  if (s.failed) return denyTooLarge(s);
  if (changetype<Bytes>(s.edits).len > 0 && hasEmbeddings(s)) {
    return deny(
      s,
      403,
      'the documents are to be redacted, but their embeddings were made of the original text: send documents without embeddings',
    );
  }
  return sendRequest(s);
}

function hasEmbeddings(s: Session): bool {
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  for (let i: u32 = 0; i < count; i += 1) {
    const r = recordAt(records, i);
    if (
      <i32>load<u8>(r, RECORD_KIND) == PLACE_COLUMN &&
      <i32>load<u8>(<usize>load<u32>(r, RECORD_NODE), NODE_LANE) == COLUMN_EMBEDDINGS
    )
      return true;
  }
  return false;
}
