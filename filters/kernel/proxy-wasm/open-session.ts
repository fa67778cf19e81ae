/** The session of what Envoy has begun: an HTTP exchange, or a connection to the outside. */
import { session_new } from '../session';
import { countSession, Exchange, openSessions, Root } from './exchanges';
import * as H from './host';

/** False where there can be none: no configuration, too many are open, or memory or Envoy's clock cannot be had. */
export function openSession(e: Exchange): bool {
  if (changetype<Root>(e.root).configuration == 0 || openSessions >= e.configurationOf().exchanges) return false;
  const now = H.nowMs();
  if (now < 0 || !H.takeRandom()) return false;
  e.session = session_new(H.randomBits(), now);
  if (e.session == 0) return false;
  countSession(1);
  return true;
}
