/** The request goes on: its headers, its body as it came or as it was edited, and where to. */
import { ACTION_CONTINUE } from '../abi';
import { Bytes } from '../bytes';
import { modelRecord, storeRecord } from '../decision/api';
import { MODEL_NAME, STORE_NAME } from '../decision/layout';
import { appendNumber } from '../json/escape';
import { putReserves } from './budget';
import { denyTooLarge } from './denial';
import { spliceBeginning } from '../edit/edits';
import { putRemovals } from '../http/forwarded-headers';
import { putHeader } from '../http/headers';
import { put } from '../http/literal';
import { PHASE_SENT, Session } from './session-state';
import { clearTexts } from '../edit/texts';

/** Sends the request to the chosen model or store. */
export function sendRequest(s: Session): i32 {
  const edits = changetype<Bytes>(s.edits);
  const body = s.bodyBytes();
  const o = s.out();
  if (edits.len > 0) {
    putBody(s);
    if (o.bodyRun().failed) return denyTooLarge(s);
    if (s.hadLength) putLength(s, o.bodyRun().len + body.len - o.covered);
  }
  putRoute(s);
  putReserves(s);
  putRemovals(s);
  // What the request held is not needed again; its values are.
  body.clear();
  s.recordBytes().clear();
  clearTexts(s);
  s.phase = PHASE_SENT;
  return ACTION_CONTINUE;
}

/** The held body with its edits; a host that has it too gets no more of it than the edits need. */
export function putBody(s: Session): void {
  const edits = changetype<Bytes>(s.edits);
  const body = s.bodyBytes();
  const o = s.out();
  o.bodyMode = 1;
  o.covered = spliceBeginning(o.bodyRun(), body.ptr, edits, changetype<Bytes>(s.replacements));
  if (s.hostHolds) return;
  o.bodyRun().append(body.ptr + o.covered, body.len - o.covered);
  o.covered = body.len;
}

export function putLength(s: Session, bytes: u32): void {
  const digits = changetype<Bytes>(s.text);
  digits.clear();
  appendNumber(digits, bytes);
  putHeader(s.out().setRun(), 'content-length', digits.ptr, digits.len);
}

function putRoute(s: Session): void {
  const route = s.out().routeRun();
  route.clear();
  if (s.chosen >= 0) {
    const name = modelRecord(s.chosen) + MODEL_NAME;
    put(route, 'model/');
    route.append(<usize>load<u32>(name), load<u32>(name, 4));
  } else if (s.store >= 0) {
    const name = storeRecord(s.store) + STORE_NAME;
    put(route, 'store/');
    route.append(<usize>load<u32>(name), load<u32>(name, 4));
  }
  putHeader(s.out().setRun(), 'x-writ-route', route.ptr, route.len);
}
