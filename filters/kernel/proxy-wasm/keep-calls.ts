/**
 * What a rule keeps of an exchange is told to the sidecar when the exchange is over (proto/writ/v1/filter_keeps.proto).
 * Nothing waits for the answer; where there is none, that is counted.
 */
import { Exchange } from './exchanges';
import { countLost } from './report';
import { sendToSidecar, sidecarToken } from './sidecar-call';

const SERVICE: string = 'writ.v1.FilterKeeps';
const METHOD: string = 'Keep';
const ANSWER_MS_MAX: u32 = 5_000;
/** Calls without an answer yet, in this worker: root and token of each; 0 0 where there is none. */
export const IN_FLIGHT_MAX: u32 = 64;
const inFlight: usize = memory.data(64 * 8, 8);
let open: u32 = 0;

/** After the session's end. */
export function tellKept(e: Exchange): void {
  const kept = e.sessionOf().out().keptRun();
  if (kept.len == 0) return;
  const place = find(0, 0);
  if (place == 0 || !sendToSidecar(SERVICE, METHOD, kept.ptr, kept.len, ANSWER_MS_MAX)) return countLost();
  store<u32>(place, e.rootId());
  store<u32>(place, sidecarToken, 4);
  open += 1;
}

/** Whether a call of these has its answer, or will not have one. */
export function endKept(root: u32, token: u32, isTaken: bool): bool {
  if (open == 0 || root == 0) return false;
  const place = find(root, token);
  if (place == 0) return false;
  store<u64>(place, 0);
  open -= 1;
  if (!isTaken) countLost();
  return true;
}

function find(root: u32, token: u32): usize {
  for (let i: u32 = 0; i < IN_FLIGHT_MAX; i += 1) {
    const place = inFlight + (i << 3);
    if (load<u32>(place) == root && load<u32>(place, 4) == token) return place;
  }
  return 0;
}
