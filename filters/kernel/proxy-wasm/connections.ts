/**
 * Connections to the outside, on the listener for them: each is decided once, by the name in its TLS hello, before a
 * byte goes on. Envoy has read the name by then, and resolves and connects only to what may pass.
 */
import { decideEgress } from '../egress/egress';
import { session_free } from '../session';
import { proxy_close_stream } from './env';
import { countSession, Exchange, exchangeOf } from './exchanges';
import * as H from './host';
import { openSession } from './open-session';
import { countConnection, tellDecisions } from './report';
import { wordOf } from './words';

const SERVER_NAME: string = 'connection\0requested_server_name';

export function proxy_on_new_connection(id: u32): i32 {
  const p = exchangeOf(id);
  if (p != 0 && mayConnect(changetype<Exchange>(p))) return H.GO_ON;
  proxy_close_stream(H.DOWNSTREAM);
  return H.PAUSE;
}

function mayConnect(e: Exchange): bool {
  if (!openSession(e)) return false;
  const hasName = H.takeProperty(wordOf(SERVER_NAME), <u32>SERVER_NAME.length);
  e.forwarded = decideEgress(e.sessionOf(), H.taken, hasName ? H.takenBytes : 0);
  e.answered = !e.forwarded;
  H.release();
  tellDecisions(e);
  countConnection(e.forwarded);
  // What is decided stays decided: a connection may live for days, and needs nothing more.
  session_free(e.session);
  e.session = 0;
  countSession(-1);
  return e.forwarded;
}
