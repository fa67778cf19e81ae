/**
 * What reviewers see of a prompt, or of a reply that is held whole: `[{"role":"user","content":"…"},…]`, one entry a
 * message or choice and one for what stands in none (instructions, tools), in the order of the document. Every value that any detector of the policy found is masked,
 * whatever the rules redact: a reviewer may see less than the model, never more. Cut at a limit, which is told.
 */
import { Bytes } from '../bytes';
import { newResult } from '../decision/api';
import { REDACT_RESTORED, REDACT_WHOLE, RESULT_SITE, SITE_AT_REDACTIONS } from '../decision/layout';
import { detectorCount, detectorName } from '../edit/placeholders';
import { spliceRange } from '../edit/edits';
import { clearEdits, editTexts, isFoundAt } from '../edit/texts';
import { put } from '../http/literal';
import { rawStep } from '../json/unescape';
import {
  NO_RECORD,
  RECORD_BYTES,
  RECORD_END,
  RECORD_KIND,
  RECORD_NEXT,
  RECORD_PARENT,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_STRING,
} from '../json/walk';
import * as P from '../protocol/places';
import { free } from '../memory';
import { Session } from '../session/session-state';

export const COPY_BYTES_MAX: u32 = 65_536;
/** What a message has beside its text, and the end of the list. */
export const ENTRY_BYTES: u32 = 64;

/** Whether the last copy is less than all. */
export let copyIsCut: bool = false;

/** Appends the copy; false where memory is exhausted. */
export function writeCopy(s: Session, out: Bytes): bool {
  copyIsCut = false;
  if (!maskAll(s)) return false;
  const records = s.recordBytes();
  const count = records.len / RECORD_BYTES;
  const from = out.len;
  let open = false;
  let last: u32 = NO_RECORD;
  out.push(0x5b);
  for (let i: u32 = 0; i < count && !copyIsCut; i += 1) {
    if (!isShown(<i32>load<u8>(recordAt(records, i), RECORD_KIND), s.isReply)) continue;
    const container = containerOf(records, i);
    if (open && container == last) put(out, '\\n');
    else {
      if (open) put(out, '"},');
      if (out.len - from + ENTRY_BYTES > COPY_BYTES_MAX) {
        copyIsCut = true;
        if (open) out.len -= 1;
        open = false;
        break;
      }
      put(out, '{"role":"');
      putRole(s, out, container);
      put(out, '","content":"');
      open = true;
      last = container;
    }
    putContent(s, out, recordAt(records, i), from);
  }
  put(out, open ? '"}]' : ']');
  clearEdits(s);
  return !out.failed && !s.failed;
}

/** Of a reply what stands by itself is what the server says of it, not the model. */
function isShown(kind: i32, isReply: bool): bool {
  return (
    kind == P.PLACE_TEXT ||
    kind == P.PLACE_PART ||
    (kind == P.PLACE_LOCAL && !isReply) ||
    kind == P.PLACE_ARGUMENTS ||
    kind == P.PLACE_KEY ||
    kind == P.PLACE_NUMBER
  );
}

/** Edits as if a rule masked whatever is found. */
function maskAll(s: Session): bool {
  const decided = s.result;
  const masking = newResult();
  if (masking == 0) return false;
  maskEverything(s, masking);
  clearEdits(s);
  s.result = masking;
  // Keys and numbers, which cannot be edited, are looked at below.
  editTexts(s, s.bodyBytes().ptr);
  s.result = decided;
  free(masking);
  return !s.failed;
}

/** Makes a result, of the site that decided last, that masks whatever is found. */
export function maskEverything(s: Session, masking: usize): void {
  const site = load<u32>(s.result, RESULT_SITE);
  store<u32>(masking, site, RESULT_SITE);
  const modes = masking + load<u32>(<usize>site, SITE_AT_REDACTIONS);
  // Of a reply also what the prompt had; placeholders stay what they are.
  const mode = s.isReply ? REDACT_WHOLE | REDACT_RESTORED : REDACT_WHOLE;
  for (let d: u32 = 0; d < detectorCount(); d += 1) if (!isWord(d)) store<u8>(modes + d, <u8>mode);
}

/** The detector of a word that a condition names (compiler/lower/word-detector.ts): it is no value, and says why it is held. */
function isWord(detector: u32): bool {
  const name = detectorName(detector);
  return load<u32>(name, 4) > 0 && load<u8>(<usize>load<u32>(name)) == 0x22;
}

/** The record of the message or choice that the record is in, or NO_RECORD. */
function containerOf(records: Bytes, i: u32): u32 {
  let at = load<u32>(recordAt(records, i), RECORD_PARENT);
  while (at != NO_RECORD && !isEntry(<i32>load<u8>(recordAt(records, at), RECORD_KIND)))
    at = load<u32>(recordAt(records, at), RECORD_PARENT);
  return at;
}

function isEntry(kind: i32): bool {
  return kind == P.PLACE_MESSAGE || kind == P.PLACE_CHOICE;
}

/** What stands in no message of a prompt is said by whoever made the application. */
function putRole(s: Session, out: Bytes, container: u32): void {
  if (s.isReply) return put(out, 'assistant');
  const records = s.recordBytes();
  const end: u32 = container == NO_RECORD ? 0 : load<u32>(recordAt(records, container), RECORD_NEXT);
  for (let i = container + 1; i < end; i += 1) {
    const r = recordAt(records, i);
    if (<i32>load<u8>(r, RECORD_KIND) != P.PLACE_ROLE) continue;
    // One of those that its place lists, without escapes.
    out.append(
      s.bodyBytes().ptr + load<u32>(r, RECORD_START) + 1,
      load<u32>(r, RECORD_END) - load<u32>(r, RECORD_START) - 2,
    );
    return;
  }
  put(out, 'system');
}

function putContent(s: Session, out: Bytes, record: usize, from: u32): void {
  const quote: u32 = load<u8>(record, RECORD_TYPE) == TYPE_STRING ? 1 : 0;
  const start = load<u32>(record, RECORD_START) + quote;
  const kind = <i32>load<u8>(record, RECORD_KIND);
  if ((kind == P.PLACE_KEY || kind == P.PLACE_NUMBER) && isFoundAt(s, start)) return put(out, '[MASKED]');
  const text = changetype<Bytes>(s.text);
  text.clear();
  spliceRange(
    text,
    s.bodyBytes().ptr,
    start,
    load<u32>(record, RECORD_END) - quote,
    changetype<Bytes>(s.edits),
    changetype<Bytes>(s.replacements),
  );
  if (text.failed) s.failed = true;
  if (!putWithin(out, text, from)) copyIsCut = true;
}

/** Appends as much of a JSON string's content as the copy that began at `from` has room for; whether that is all. */
export function putWithin(out: Bytes, text: Bytes, from: u32): bool {
  const room = COPY_BYTES_MAX - ENTRY_BYTES - (out.len - from);
  const fits = <i32>room >= <i32>text.len;
  if (fits) out.append(text.ptr, text.len);
  else if (<i32>room > 0) out.append(text.ptr, wholeCharacters(text, room));
  return fits;
}

/** Of a JSON string's content, the bytes of the characters and escapes that end within `most`. */
function wholeCharacters(text: Bytes, most: u32): u32 {
  let at: u32 = 0;
  let behind: u32 = 0;
  while (behind < text.len) {
    behind += rawStep(text.ptr + behind);
    while (behind < text.len && (load<u8>(text.ptr + behind) & 0xc0) == 0x80) behind += 1;
    if (behind > most) break;
    at = behind;
  }
  return at;
}
