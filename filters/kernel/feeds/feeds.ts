/**
 * The newest state of each list and switch of the policy, for all sessions of this instance. A host hands over an image
 * (layout.ts); it is copied, and takes the place of an older one. Nothing is ever removed: a feed that nobody renews
 * grows old, and one that cannot be trusted is replaced by one that says so.
 */
import { T_FEEDS } from '../abi';
import { section, textAtIs } from '../decision/tables';
import { alloc, allocZeroed, free } from '../memory';
import {
  ENTRY_BYTES,
  FEED_LIST,
  FEEDS_USES,
  IMAGE_COUNT,
  IMAGE_ELEMENT_BYTES,
  IMAGE_GOOD,
  IMAGE_HEAD_BYTES,
  IMAGE_ISSUED,
  IMAGE_KIND,
  IMAGE_NAME_BYTES,
  IMAGE_SEQUENCE,
  IMAGE_STATE,
  USE_BYTES,
  USE_ELEMENT,
  USE_KIND,
  USE_MOST,
  USE_NAME,
} from './layout';

/** For each use of the policy the address of its image, 0 where there is none. */
let images: usize = 0;

/** The image of a use by its position; 0: nothing was heard of it. */
export function imageOf(use: u32): usize {
  return images == 0 ? 0 : <usize>load<u32>(images + (use << 2));
}

export function takeFeed(image: usize, length: u32): bool {
  const table = section(T_FEEDS);
  if (table == 0 || !isWhole(image, length)) return false;
  const uses = <usize>load<u32>(table, FEEDS_USES);
  const count = load<u32>(table, FEEDS_USES + 4);
  if (images == 0) images = allocZeroed(count << 2);
  if (images == 0) return false;
  const nameBytes = load<u32>(image, IMAGE_NAME_BYTES);
  let taken = false;
  // Lists may share a feed.
  for (let at: u32 = 0; at < count; at++) {
    const use = uses + at * USE_BYTES;
    if (load<u32>(use, USE_KIND) != load<u32>(image, IMAGE_KIND)) continue;
    if (!textAtIs(use + USE_NAME, image + IMAGE_HEAD_BYTES, nameBytes)) continue;
    if (!isOfUse(use, image) || !isNewer(image, imageOf(at)) || !put(at, image, length)) return false;
    taken = true;
  }
  return taken;
}

/** Lengths are those of the image, and what is counted is there. */
function isWhole(image: usize, length: u32): bool {
  if (length < <u32>IMAGE_HEAD_BYTES) return false;
  const entries = <u64>load<u32>(image, IMAGE_COUNT) * <u64>ENTRY_BYTES;
  const texts = <u64>load<u32>(image, IMAGE_NAME_BYTES) + <u64>load<u32>(image, IMAGE_ELEMENT_BYTES);
  return <u64>IMAGE_HEAD_BYTES + texts + entries == <u64>length;
}

function isOfUse(use: usize, image: usize): bool {
  if (load<u32>(image, IMAGE_STATE) != IMAGE_GOOD || load<u32>(image, IMAGE_KIND) != FEED_LIST) return true;
  const element = image + IMAGE_HEAD_BYTES + load<u32>(image, IMAGE_NAME_BYTES);
  return (
    textAtIs(use + USE_ELEMENT, element, load<u32>(image, IMAGE_ELEMENT_BYTES)) &&
    load<u32>(image, IMAGE_COUNT) <= load<u32>(use, USE_MOST)
  );
}

/** What cannot be trusted has no number of its own, and what can be does not go back. */
function isNewer(image: usize, before: usize): bool {
  if (before == 0 || load<u32>(image, IMAGE_STATE) != IMAGE_GOOD) return true;
  if (load<u32>(before, IMAGE_STATE) != IMAGE_GOOD) return true;
  const was = load<u64>(before, IMAGE_SEQUENCE);
  const is = load<u64>(image, IMAGE_SEQUENCE);
  return is > was || (is == was && load<i64>(image, IMAGE_ISSUED) >= load<i64>(before, IMAGE_ISSUED));
}

function put(at: u32, image: usize, length: u32): bool {
  const copy = alloc(length);
  if (copy == 0) return false;
  memory.copy(copy, image, length);
  free(imageOf(at));
  store<u32>(images + (at << 2), <u32>copy);
  return true;
}
