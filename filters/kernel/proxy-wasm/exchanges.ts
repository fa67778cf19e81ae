/**
 * Envoy's contexts: a root for each configuration of the filter, and one exchange for each HTTP stream. They are found
 * by the numbers that Envoy gives them. Nothing outlives its context.
 */
import { allocZeroed, free } from '../memory';
import { Session } from '../session/session-state';
import { Configuration } from './configuration';

/** Which half of the exchange waits for a call, as `proxy_continue_stream` counts them. */
export const SIDE_REQUEST: i32 = 0;
export const SIDE_REPLY: i32 = 1;

/** Whom a call is to: Envoy numbers those to stores and those to the sidecar apart. */
export const CALL_STORE: i32 = 0;
export const CALL_GRANTS: i32 = 1;
export const CALL_REVIEW: i32 = 2;
export const CALL_RECORD: i32 = 3;

@unmanaged
export class Root {
  id: u32 = 0;
  next: usize = 0;
  configuration: usize = 0;
}

@unmanaged
export class Exchange {
  id: u32 = 0;
  next: usize = 0;
  root: usize = 0;
  session: usize = 0;
  /** Answered by us: what comes of the stream from now on is no business of the session. */
  answered: bool = false;
  /** The request has gone to its upstream. */
  forwarded: bool = false;
  /** Bytes of the paused body that Envoy holds. */
  held: u32 = 0;
  /** The call that is out, and who waits for it. */
  token: u32 = 0;
  calling: bool = false;
  side: i32 = 0;
  kind: i32 = 0;
  questions: u32 = 0;
  waiting: usize = 0;
  /** What is set aside of budgets (spend.ts), and how that came about. */
  spend: usize = 0;
  spendCount: u32 = 0;
  hasAskedLevels: bool = false;
  waitsSince: i64 = 0;
  sentAt: i64 = 0;
  rounds: u32 = 0;

  sessionOf(): Session {
    return changetype<Session>(this.session);
  }
  rootId(): u32 {
    return changetype<Root>(this.root).id;
  }
  configurationOf(): Configuration {
    return changetype<Configuration>(changetype<Root>(this.root).configuration);
  }
}

/** Exchanges are spread over so many lists. */
const BUCKETS: u32 = 1_024;
const buckets: usize = memory.data(1_024 * 4, 8);
let roots: usize = 0;
/** Exchanges that wait for a call. */
let waiting: usize = 0;
/** Exchanges that have a session now, in this worker. */
export let openSessions: u32 = 0;

export function countSession(change: i32): void {
  openSessions += change;
}

/** Notes a context; 0 where memory is exhausted. `parent` 0: it is a root. */
export function addContext(id: u32, parent: u32): void {
  if (parent == 0) {
    const p = allocZeroed(<u32>offsetof<Root>());
    if (p == 0) return;
    const root = changetype<Root>(p);
    root.id = id;
    root.next = roots;
    roots = p;
    return;
  }
  const root = rootOf(parent);
  if (root == 0) return;
  const p = allocZeroed(<u32>offsetof<Exchange>());
  if (p == 0) return;
  const e = changetype<Exchange>(p);
  const bucket = buckets + ((id % BUCKETS) << 2);
  e.id = id;
  e.root = root;
  e.next = <usize>load<u32>(bucket);
  store<u32>(bucket, <u32>p);
}

export function rootOf(id: u32): usize {
  let p = roots;
  while (p != 0 && changetype<Root>(p).id != id) p = changetype<Root>(p).next;
  return p;
}

/** The exchange of a stream's context, or 0: memory was exhausted when it began. */
export function exchangeOf(id: u32): usize {
  let p = <usize>load<u32>(buckets + ((id % BUCKETS) << 2));
  while (p != 0 && changetype<Exchange>(p).id != id) p = changetype<Exchange>(p).next;
  return p;
}

/** Forgets a context, of whichever kind. */
export function removeContext(id: u32): void {
  let link = buckets + ((id % BUCKETS) << 2);
  for (let p = <usize>load<u32>(link); p != 0; p = changetype<Exchange>(p).next) {
    if (changetype<Exchange>(p).id == id) {
      endWait(changetype<Exchange>(p));
      store<u32>(link, <u32>changetype<Exchange>(p).next);
      free(p);
      return;
    }
    link = p + offsetof<Exchange>('next');
  }
  let before: usize = 0;
  for (let p = roots; p != 0; p = changetype<Root>(p).next) {
    if (changetype<Root>(p).id == id) {
      if (before == 0) roots = changetype<Root>(p).next;
      else changetype<Root>(before).next = changetype<Root>(p).next;
      const configuration = changetype<Root>(p).configuration;
      if (configuration != 0) changetype<Configuration>(configuration).destroy();
      free(p);
      return;
    }
    before = p;
  }
}

export function beginWait(e: Exchange, token: u32, side: i32, kind: i32): void {
  e.token = token;
  e.kind = kind;
  e.side = side;
  e.calling = true;
  e.waiting = waiting;
  waiting = changetype<usize>(e);
}

export function endWait(e: Exchange): void {
  if (!e.calling) return;
  e.calling = false;
  let before: usize = 0;
  for (let p = waiting; p != 0; p = changetype<Exchange>(p).waiting) {
    if (p == changetype<usize>(e)) {
      if (before == 0) waiting = e.waiting;
      else changetype<Exchange>(before).waiting = e.waiting;
      return;
    }
    before = p;
  }
}

/** Who waits for this call of this root, or 0: the client has gone. */
export function exchangeWaiting(root: u32, token: u32, kind: i32): usize {
  let p = waiting;
  while (
    p != 0 &&
    (changetype<Exchange>(p).token != token ||
      changetype<Exchange>(p).kind != kind ||
      changetype<Root>(changetype<Exchange>(p).root).id != root)
  )
    p = changetype<Exchange>(p).waiting;
  return p;
}
