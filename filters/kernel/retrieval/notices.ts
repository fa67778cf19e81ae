/**
 * `else say`: what the client is told when a rule withholds something from it. It is told that something is withheld,
 * neither what nor how much. Of a search that filters, or asks for ids, nothing is said: that there is a chunk which is
 * withheld would answer the filter's question about it.
 */
import { Bytes } from '../bytes';
import {
  RESULT_SITE,
  SAY_BYTES,
  SAY_HEADER,
  SAY_LITERAL,
  SAY_RULE,
  SAY_WITHHELD,
  SITE_AT_TOUCHED,
  SITE_AT_WITHHELD,
  SITE_SAYS,
  SITE_TOUCHES,
  TOUCH_BYTES,
  TOUCH_NAME,
} from '../decision/layout';
import { isSameText, isSet } from '../decision/render';
import { addEdit } from '../edit/edits';
import { putHeader } from '../http/headers';
import { put } from '../http/literal';
import { skipSpace } from '../json/scan';
import { Session } from '../session/session-state';

/** Notes what the client is to be told of a chunk that was denied, by the decision in `s.result`. */
export function noteWithheld(s: Session): void {
  if (s.isAsked) return;
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  const count = load<u32>(site, SITE_SAYS + 4);
  const withheld = s.result + load<u32>(site, SITE_AT_WITHHELD);
  let say = <usize>load<u32>(site, SITE_SAYS);
  for (let i: u32 = 0; i < count; i += 1, say += SAY_BYTES) {
    if (isSet(withheld, load<u32>(say, SAY_WITHHELD)) || isTouched(s.result, site, say + SAY_RULE)) note(s, say);
  }
}

/** Keeps the entry among the others, in their order, unless its sentence is kept already. */
function note(s: Session, say: usize): void {
  if (s.notices == 0) s.notices = changetype<usize>(Bytes.create());
  if (s.notices == 0) {
    s.failed = true;
    return;
  }
  const noted = changetype<Bytes>(s.notices);
  let place: u32 = 0;
  for (let at: u32 = 0; at < noted.len; at += 4) {
    const kept = <usize>load<u32>(noted.ptr + at);
    if (isSameText(kept + SAY_LITERAL, say + SAY_LITERAL)) return;
    if (kept < say) place = at + 4;
  }
  if (!noted.reserve(4)) {
    s.failed = true;
    return;
  }
  memory.copy(noted.ptr + place + 4, noted.ptr + place, noted.len - place);
  store<u32>(noted.ptr + place, <u32>say);
  noted.len += 4;
}

function isTouched(result: usize, site: usize, rule: usize): bool {
  const touched = result + load<u32>(site, SITE_AT_TOUCHED);
  const count = load<u32>(site, SITE_TOUCHES + 4);
  const entries = <usize>load<u32>(site, SITE_TOUCHES);
  for (let i: u32 = 0; i < count; i += 1)
    if (isSet(touched, i) && isSameText(entries + i * TOUCH_BYTES + TOUCH_NAME, rule)) return true;
  return false;
}

/** Says it: in the header `x-writ-notice`, and as `writ_notices`, which Chroma's clients pass over. */
export function putNotices(s: Session): void {
  if (s.notices == 0) return;
  const noted = changetype<Bytes>(s.notices);
  const header = changetype<Bytes>(s.text);
  header.clear();
  const out = changetype<Bytes>(s.replacements);
  const text = out.len;
  put(out, '"writ_notices":[');
  for (let at: u32 = 0; at < noted.len; at += 4) {
    const say = <usize>load<u32>(noted.ptr + at);
    if (at > 0) {
      put(header, '; ');
      out.push(0x2c);
    }
    header.append(<usize>load<u32>(say, SAY_HEADER), load<u32>(say, SAY_HEADER + 4));
    out.append(<usize>load<u32>(say, SAY_LITERAL), load<u32>(say, SAY_LITERAL + 4));
  }
  // An answer has ids at least, so that a field follows.
  put(out, '],');
  const body = s.bodyBytes();
  const first = <u32>(skipSpace(body.ptr, body.ptr + body.len) + 1 - body.ptr);
  addEdit(changetype<Bytes>(s.edits), first, 0, text, out.len - text);
  putHeader(s.out().setRun(), 'x-writ-notice', header.ptr, header.len);
}
