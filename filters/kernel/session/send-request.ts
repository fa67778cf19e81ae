/** The request goes on: its headers, its body as it came or as it was edited, and where to. */
import { ACTION_CONTINUE } from '../abi';
import { Bytes } from '../bytes';
import { modelRecord, storeRecord } from '../decision/api';
import { MODEL_NAME, STORE_NAME } from '../decision/layout';
import { appendNumber } from '../json/escape';
import { putReserves } from './budget';
import { denyTooLarge } from './denial';
import { splice } from '../edit/edits';
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
    splice(o.bodyRun(), body.ptr, body.len, edits, changetype<Bytes>(s.replacements));
    if (o.bodyRun().failed) return denyTooLarge(s);
    o.bodyMode = 1;
    if (s.hadLength) putLength(s, o.bodyRun().len);
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
