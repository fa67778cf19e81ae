/** A store's answer. */
import { onReply } from "./reply";
import { Session } from "./session-state";

export function onChunks(s: Session): i32 {
  return onReply(s);
}
