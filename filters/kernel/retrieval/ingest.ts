/**
 * A write into a store: each document is decided by its own metadata and text, what is redacted is redacted and what is
 * tagged is tagged before anything is stored. One document that may not be stored refuses the whole write.
 */
import { EVENT_INGEST } from '../abi';
import { isAllowed, renderReason } from '../decision/api';
import { Bytes } from '../bytes';
import { protocolSection, rootOf } from '../http/endpoint';
import { put } from '../http/literal';
import { appendNumber } from '../json/escape';
import { NO_RECORD, walk, WALK_OK } from '../json/walk';
import * as P from '../protocol/places';
import { deny, denyFixed, denyTooLarge, denyWalk, messageOf, reply } from '../session/denial';
import { decideQuietly, recordAlways, recordDecision } from '../session/record';
import { sendRequest } from '../session/send-request';
import { Session } from '../session/session-state';
import { cellsEnded, columnAt, findColumns, hasCells, leaveColumn, nextCells, openCells } from './columns';
import { readDocument } from './document';
import { DOCUMENTS_MAX } from './limits';
import { askCollection, findStore } from './store-request';
import { beginTags, endTags, givesTags, tagDocument } from './tags';
import { clearTexts, editTexts } from '../edit/texts';

/** Documents that a refusal names by their positions. */
const NAMED_MAX: u32 = 16;

export function onIngest(s: Session): i32 {
  const body = s.bodyBytes();
  const records = s.recordBytes();
  records.clear();
  const code = walk(body.ptr, body.len, protocolSection(), rootOf(s.endpoint, P.ENDPOINT_REQUEST), records);
  if (code != WALK_OK) return denyWalk(s, code, "the request's body");
  return findStore(s) ? decideIngest(s) : askForIngest(s);
}

/** Asks which collection the id is, until it is known or all were asked. */
export function askForIngest(s: Session): i32 {
  const action = askCollection(s);
  return action >= 0 ? action : deny(s, 403, 'no store of the policy has this collection');
}

export function decideIngest(s: Session): i32 {
  clearTexts(s);
  findColumns(s);
  const hasEmbeddings = columnAt(P.COLUMN_EMBEDDINGS) != NO_RECORD;
  leaveColumn(P.COLUMN_EMBEDDINGS);
  if (!openCells(s, false) || !hasCells()) return deny(s, 400, 'this write names no document');
  const verdicts = changetype<Bytes>(s.verdicts);
  verdicts.clear();
  beginTags(s);
  let denied = false;
  let isEdited = false;
  let isEditable = true;
  while (hasCells()) {
    if (verdicts.len >= <u32>DOCUMENTS_MAX) return denyTooLarge(s);
    readDocument(s);
    if (s.failed) return denyTooLarge(s);
    decideQuietly(s, EVENT_INGEST, s.store);
    const allowed = isAllowed(s.result);
    verdicts.push(allowed ? 1 : 0);
    if (allowed || denied) recordDecision(s);
    else {
      recordAlways(s);
      keepReason(s);
      denied = true;
    }
    if (!denied) {
      const before = changetype<Bytes>(s.edits).len;
      if (!editTexts(s, s.bodyBytes().ptr)) isEditable = false;
      if (changetype<Bytes>(s.edits).len > before) isEdited = true;
      if (givesTags(s)) tagDocument(s);
    }
    if (!nextCells(s)) return denyUneven(s);
  }
  if (!cellsEnded()) return denyUneven(s);
  if (denied) return denyDocuments(s);
  if (!isEditable) return denyFixed(s);
  endTags(s);
  if (s.failed || verdicts.failed || changetype<Bytes>(s.edits).failed || changetype<Bytes>(s.replacements).failed)
    return denyTooLarge(s);
  if (isEdited && hasEmbeddings) {
    return deny(
      s,
      403,
      'the documents are to be redacted, but their embeddings were made of the original text: send documents without embeddings',
    );
  }
  return sendRequest(s);
}

function denyUneven(s: Session): i32 {
  return deny(s, 400, 'ids, documents and metadatas of this write are not of one length');
}

/** Keeps why the first of the documents that are refused is. Nothing is edited any more, so that the room is free. */
function keepReason(s: Session): void {
  const kept = changetype<Bytes>(s.clusters);
  kept.clear();
  renderReason(s.result, kept);
}

/** Which documents may not be stored, by their positions in the write, and why the first of them may not. */
function denyDocuments(s: Session): i32 {
  const verdicts = changetype<Bytes>(s.verdicts);
  const message = messageOf(s);
  if (verdicts.len > 1) {
    let named: u32 = 0;
    let more: u32 = 0;
    for (let i: u32 = 0; i < verdicts.len; i += 1) {
      if (load<u8>(verdicts.ptr + i) != 0) continue;
      if (named == NAMED_MAX) {
        more += 1;
        continue;
      }
      put(message, named == 0 ? 'of these ' : ', ');
      if (named == 0) {
        appendNumber(message, verdicts.len);
        put(message, ' documents may not be stored: number ');
      }
      appendNumber(message, i + 1);
      named += 1;
    }
    if (more > 0) {
      put(message, ' and ');
      appendNumber(message, more);
      put(message, ' more');
    }
    put(message, '; ');
    if (named > 1) put(message, 'the first of them: ');
  }
  const kept = changetype<Bytes>(s.clusters);
  message.append(kept.ptr, kept.len);
  return reply(s, 403, message);
}
