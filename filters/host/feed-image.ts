/** A feed as the kernel takes it: layout in filters/kernel/feeds/layout.ts. */
import type { FeedState } from '../../compiler/bundle/feed.ts';
import * as L from '../kernel/feeds/layout.ts';

const NEVER_ENDS = 2n ** 63n - 1n;

export function feedImage(state: FeedState, entries: Uint8Array): Uint8Array {
  const element = state.kind === 'list' ? state.element : '';
  const image = blank(state.kind, state.name, element, entries.length);
  const view = new DataView(image.buffer);
  view.setBigUint64(L.IMAGE_SEQUENCE, BigInt(state.sequence), true);
  view.setBigInt64(L.IMAGE_ISSUED, BigInt(state.issuedAt), true);
  if (state.kind === 'switch')
    view.setBigInt64(L.IMAGE_UNTIL, !state.on ? 0n : state.until === null ? NEVER_ENDS : BigInt(state.until), true);
  else {
    view.setUint32(L.IMAGE_COUNT, state.count, true);
    image.set(Buffer.from(state.salt, 'hex'), L.IMAGE_SALT);
    image.set(entries, image.length - entries.length);
  }
  return image;
}

/** A switch that was never switched. */
export function neverSwitched(name: string): Uint8Array {
  return blank('switch', name, '', 0);
}

/** What came of the feed cannot be trusted: its facts fail. */
export function brokenImage(kind: FeedState['kind'], name: string): Uint8Array {
  const image = blank(kind, name, '', 0);
  new DataView(image.buffer).setUint32(L.IMAGE_STATE, L.IMAGE_BROKEN, true);
  return image;
}

function blank(kind: FeedState['kind'], name: string, element: string, entryBytes: number): Uint8Array<ArrayBuffer> {
  const [nameBytes, elementBytes] = [new TextEncoder().encode(name), new TextEncoder().encode(element)];
  const image = new Uint8Array(L.IMAGE_HEAD_BYTES + nameBytes.length + elementBytes.length + entryBytes);
  const view = new DataView(image.buffer);
  view.setUint32(L.IMAGE_KIND, kind === 'list' ? L.FEED_LIST : L.FEED_SWITCH, true);
  view.setUint32(L.IMAGE_NAME_BYTES, nameBytes.length, true);
  view.setUint32(L.IMAGE_ELEMENT_BYTES, elementBytes.length, true);
  image.set(nameBytes, L.IMAGE_HEAD_BYTES);
  image.set(elementBytes, L.IMAGE_HEAD_BYTES + nameBytes.length);
  return image;
}
