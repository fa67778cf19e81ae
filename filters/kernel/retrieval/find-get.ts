/** The endpoint that reads chunks by filter: where an answer to our own question is described. */
import { ENDPOINT_BYTES, ENDPOINT_EVENT, ENDPOINT_RETRIEVAL, ENDPOINTS, FLAG_ROWS } from '../protocol/places';
import { hasFlag, protocolSection } from '../http/endpoint';

/** The first retrieval whose answer has no rows; the table always has one where there are stores. */
export function findGet(): usize {
  const table = protocolSection();
  const count = load<u32>(table);
  for (let i: u32 = 0; i < count; i += 1) {
    const e = table + ENDPOINTS + i * ENDPOINT_BYTES;
    if (<i32>load<u8>(e, ENDPOINT_EVENT) == ENDPOINT_RETRIEVAL && !hasFlag(e, FLAG_ROWS)) return e;
  }
  return table + ENDPOINTS;
}
