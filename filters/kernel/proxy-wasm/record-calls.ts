/**
 * An exchange that must be recorded waits until the sidecar has the record of its beginning on disk
 * (proto/writ/v1/filter_keeps.proto). Without that answer in time it is refused.
 */
import { free } from '../memory';
import { session_recorded } from '../session';
import { beginWait, CALL_RECORD, Exchange, SIDE_REQUEST } from './exchanges';
import { BUFFER_MESSAGE, detach, takeBuffer } from './host';
import { sendToSidecar, sidecarToken } from './sidecar-call';

const SERVICE: string = 'writ.v1.FilterKeeps';
const METHOD: string = 'Begin';
/** It is a file, written and synced. */
const WAIT_MS_MAX: u32 = 2_000;
/** `KeepReply { kept: true }`, little-endian. */
const KEPT: u32 = 0x0108;
const KEPT_BYTES: u32 = 2;

/** Whether the exchange waits for an answer. */
export function askRecord(e: Exchange): bool {
  const kept = e.sessionOf().out().keptRun();
  if (!sendToSidecar(SERVICE, METHOD, kept.ptr, kept.len, WAIT_MS_MAX)) return false;
  beginWait(e, sidecarToken, SIDE_REQUEST, CALL_RECORD);
  return true;
}

/** What the session says to the answer, of so many bytes, that has come; 0: there is none. */
export function takeRecorded(e: Exchange, bytes: u32): i32 {
  if (bytes != KEPT_BYTES || !takeBuffer(BUFFER_MESSAGE, bytes)) return session_recorded(e.session, 0);
  const block = detach();
  const isKept = <u32>load<u16>(block) == KEPT;
  free(block);
  return session_recorded(e.session, isKept ? 1 : 0);
}
