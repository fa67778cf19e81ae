/**
 * The key of pseudonyms, from the sidecar (proto/writ/v1/filter_keys.proto). It comes in a call of its own, because
 * whoever reads Envoy's admin pages reads the filter's configuration. What one worker was told lies in shared data, so
 * that the others, and the next policy's filter, have it at once.
 */
import { hasKey, KEY_BYTES, keyBytes, takeKey, wantsKey } from '../edit/policy-key';
import { free } from '../memory';
import { BUFFER_MESSAGE, detach, takeBuffer } from './host';
import { readShared, writeShared } from './shared-data';
import { sendToSidecar, sidecarToken } from './sidecar-call';
import { wordOf } from './words';

const SERVICE: string = 'writ.v1.FilterKeys';
const METHOD: string = 'Get';
const SHARED: string = 'writ policy key';
const TIMEOUT_MS: u32 = 5_000;
/** How often it is asked for until it is there, and then, since it may be replaced. */
const WANT_MS: i64 = 900;
const AGAIN_MS: i64 = 60_000;
/** KeyReply.policy_key: field 1, its length, its bytes. */
const REPLY_BYTES: u32 = 2 + KEY_BYTES;
const REPLY_TAG: u32 = 0x0a;

/** A byte that says that the key is there, and the key. */
const record: usize = memory.data(33, 8);
let askedAt: i64 = 0;
let isOut: bool = false;
let outRoot: u32 = 0;
let outToken: u32 = 0;

/** What another worker, or a filter before this one, was told. */
export function findKey(): void {
  if (!wantsKey() || hasKey()) return;
  if (readShared(wordOf(SHARED), <u32>SHARED.length, record, 1 + KEY_BYTES) && load<u8>(record) == 1)
    takeKey(record + 1, KEY_BYTES);
  memory.fill(record, 0, 1 + KEY_BYTES);
}

/** Asks for the key where it is not there, or was told long ago. */
export function onKeyTick(root: u32, now: i64): void {
  if (!wantsKey() || now < 0) return;
  findKey();
  if (now - askedAt < (hasKey() ? AGAIN_MS : WANT_MS) || (isOut && now - askedAt < <i64>TIMEOUT_MS)) return;
  askedAt = now;
  isOut = sendToSidecar(SERVICE, METHOD, record, 0, TIMEOUT_MS);
  outRoot = root;
  outToken = sidecarToken;
}

/** Whether a reply is the key, or that there is none. */
export function takeKeyReply(root: u32, token: u32, bytes: u32): bool {
  if (!isOut || root != outRoot || token != outToken) return false;
  isOut = false;
  if (bytes != REPLY_BYTES || !takeBuffer(BUFFER_MESSAGE, bytes)) return true;
  const reply = detach();
  if (<u32>load<u8>(reply) == REPLY_TAG && <u32>load<u8>(reply, 1) == KEY_BYTES && takeKey(reply + 2, KEY_BYTES))
    share();
  memory.fill(reply, 0, bytes);
  free(reply);
  return true;
}

export function endKeyCall(root: u32, token: u32): void {
  if (isOut && root == outRoot && token == outToken) isOut = false;
}

/** Where another worker writes at the same time, it writes the same, or will be told so in a minute. */
function share(): void {
  readShared(wordOf(SHARED), <u32>SHARED.length, record, 1 + KEY_BYTES);
  store<u8>(record, 1);
  memory.copy(record + 1, keyBytes(), KEY_BYTES);
  writeShared(wordOf(SHARED), <u32>SHARED.length, record, 1 + KEY_BYTES);
  memory.fill(record, 0, 1 + KEY_BYTES);
}
