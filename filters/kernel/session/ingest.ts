/** A write. */
import { deny } from "./denial";
import { Session } from "./session-state";

export function onIngest(s: Session): i32 {
  return deny(s, 403, "no store of the policy has this collection");
}
