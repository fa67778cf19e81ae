/** A search, or a read by id. */
import { deny } from "./denial";
import { Session } from "./session-state";

export function onRetrieval(s: Session): i32 {
  return deny(s, 403, "no store of the policy has this collection");
}

export function answerCall(s: Session, status: u32, ptr: usize, length: u32): i32 {
  return deny(s, 403, "no store of the policy has this collection");
}
