/** One whole text: its hits, without a copy of the text. */
import { Bytes } from '../bytes';
import { Lane } from './lane';

let lane: usize = 0;

/**
 * Appends the hits in the text to `hits`: detector, start, end, three u32 each, sorted by start, then detector. False
 * when memory is exhausted or the text is over a lane's cap.
 */
export function scanText(ptr: usize, len: u32, hits: Bytes): bool {
  if (lane == 0) lane = changetype<usize>(Lane.create());
  if (lane == 0) return false;
  const whole = changetype<Lane>(lane);
  whole.borrow(ptr, len);
  whole.scan(true);
  hits.append(whole.hit(0), whole.hitCount * 12);
  const failed = whole.failed || hits.failed;
  whole.clear();
  return !failed;
}
