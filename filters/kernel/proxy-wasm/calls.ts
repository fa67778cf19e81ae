/** A store is asked: one HTTP call to its cluster, bounded in time; a failed one is told to the session at once. */
import { is } from '../http/literal';
import { Output } from '../session/output';
import { beginPairs, putWord } from './answers';
import {
  authority,
  authorityBytes,
  cluster,
  clusterBytes,
  findStoreAddress,
  prefix,
  prefixBytes,
} from './configuration';
import { proxy_http_call } from './env';
import { beginWait, CALL_STORE, Exchange } from './exchanges';
import { STATUS_OK } from './host';

export const CALL_MS_MAX: u32 = 5_000;
/** The store's answer is read up to so many bytes. */
export const CALL_REPLY_BYTES_MAX: u32 = 8 << 20;

const token: usize = memory.data(4, 4);

/** Whether the call is out; the exchange then waits for its answer. */
export function callStore(e: Exchange, o: Output, side: i32): bool {
  if (!findStoreAddress(e.configurationOf(), o.callStore)) return false;
  const headers = beginPairs();
  if (changetype<usize>(headers) == 0) return false;
  const hasBody = is(<usize>o.callMethodPtr, o.callMethodLen, 'POST');
  headers.u32(hasBody ? 4 : 3);
  headers.u32(7);
  headers.u32(o.callMethodLen);
  headers.u32(5);
  headers.u32(prefixBytes + o.callPathLen);
  headers.u32(10);
  headers.u32(authorityBytes);
  if (hasBody) {
    headers.u32(12);
    headers.u32(16);
  }
  putWord(headers, ':method');
  headers.append(<usize>o.callMethodPtr, o.callMethodLen);
  headers.push(0);
  putWord(headers, ':path');
  headers.append(prefix, prefixBytes);
  headers.append(<usize>o.callPathPtr, o.callPathLen);
  headers.push(0);
  putWord(headers, ':authority');
  headers.append(authority, authorityBytes);
  headers.push(0);
  if (hasBody) {
    putWord(headers, 'content-type');
    putWord(headers, 'application/json');
  }
  if (headers.failed) return false;
  const status = proxy_http_call(
    cluster,
    clusterBytes,
    headers.ptr,
    headers.len,
    hasBody ? <usize>o.callBodyPtr : 0,
    hasBody ? o.callBodyLen : 0,
    0,
    0,
    CALL_MS_MAX,
    token,
  );
  if (status != STATUS_OK) return false;
  beginWait(e, load<u32>(token), side, CALL_STORE);
  return true;
}
