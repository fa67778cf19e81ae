/**
 * The receipt of what a retrieval hands out: in the header `x-writ-receipt`, and as `writ_receipt` in the metadata of each
 * chunk, where the client asked for metadata: libraries hand that on with the text (in LangChain `Document.metadata`), and
 * a header they do not. An answer goes out with its receipt, or not at all.
 */
import { FACT_KNOWN, SLOT_BYTES, SLOT_STATE, SLOT_VALUE, T_RECEIPTS } from '../abi';
import { Bytes } from '../bytes';
import { enumMembers, section } from '../decision/tables';
import { addEdit } from '../edit/edits';
import { hasKey } from '../edit/policy-key';
import { hasFlag } from '../http/endpoint';
import { putHeader } from '../http/headers';
import { put } from '../http/literal';
import { skipSpace } from '../json/scan';
import {
  NO_RECORD,
  RECORD_END,
  RECORD_NEXT,
  RECORD_START,
  RECORD_TYPE,
  recordAt,
  TYPE_NULL,
  TYPE_OBJECT,
} from '../json/walk';
import * as P from '../protocol/places';
import { after, columnAt } from '../retrieval/columns';
import { deny } from '../session/denial';
import { Session } from '../session/session-state';
import { RECEIPTS_BASE, RECEIPTS_ENUM, RECEIPTS_STORES } from './layout';
import { appendReceipt } from './receipt';

/** -1, or the action of a refusal: nobody could be given a receipt, or nobody could sign one. */
export function needsReceipt(s: Session): i32 {
  if (section(T_RECEIPTS) == 0) return -1;
  if (s.callerBytes == 0)
    return deny(s, 403, 'what is found comes with a receipt, and the caller has no subject that it could be bound to');
  return hasKey() ? -1 : deny(s, 503, 'what is found comes with a receipt, and this gateway has no key to sign it yet');
}

/** What stands for the chunk that passes: 1 and its class, by the facts that were just read. */
export function verdictOf(s: Session): u8 {
  const receipts = section(T_RECEIPTS);
  if (receipts == 0) return 1;
  const facts = <usize>load<u32>(receipts, RECEIPTS_STORES) + (s.store << 3);
  const count = load<u32>(facts, 4);
  let highest = load<u32>(receipts, RECEIPTS_BASE);
  for (let i: u32 = 0; i < count; i += 1) {
    const slot = s.facts + load<u32>(<usize>load<u32>(facts) + (i << 2)) * SLOT_BYTES;
    // A class that nobody can tell is the highest.
    const isKnown = <u32>load<u8>(slot, SLOT_STATE) == FACT_KNOWN;
    const rank = isKnown
      ? load<u32>(slot, SLOT_VALUE)
      : load<u32>(enumMembers(load<u32>(receipts, RECEIPTS_ENUM)), 4) - 1;
    if (rank > highest) highest = rank;
  }
  return <u8>(1 + highest);
}

/** Nothing where no chunk is handed out. */
export function putReceipt(s: Session): void {
  if (section(T_RECEIPTS) == 0) return;
  const verdicts = changetype<Bytes>(s.verdicts);
  let highest: u32 = 0;
  for (let i: u32 = 0; i < verdicts.len; i += 1) {
    const verdict = <u32>load<u8>(verdicts.ptr + i);
    if (verdict > highest) highest = verdict;
  }
  if (highest == 0) return;
  const receipt = changetype<Bytes>(s.text);
  receipt.clear();
  appendReceipt(receipt, s, highest - 1);
  putHeader(s.out().setRun(), 'x-writ-receipt', receipt.ptr, receipt.len);
  if (receipt.failed) s.failed = true;
  const metadata = columnAt(P.COLUMN_METADATAS);
  if (metadata == NO_RECORD || s.dropMetadata) return;
  if (!hasFlag(s.endpoint, P.FLAG_ROWS)) {
    mark(s, metadata, 0, receipt);
    return;
  }
  const end = load<u32>(recordAt(s.recordBytes(), metadata), RECORD_NEXT);
  let seen: u32 = 0;
  for (let row = metadata + 1; row < end; row = after(s, row)) {
    if (load<u8>(recordAt(s.recordBytes(), row), RECORD_TYPE) != TYPE_NULL) seen = mark(s, row, seen, receipt);
  }
}

/** Marks the chunks of an array that stay; `seen` came before it. Answers how many have come after it. */
function mark(s: Session, array: u32, seen: u32, receipt: Bytes): u32 {
  const records = s.recordBytes();
  const verdicts = changetype<Bytes>(s.verdicts);
  const end = load<u32>(recordAt(records, array), RECORD_NEXT);
  let n = seen;
  for (let i = array + 1; i < end; i = after(s, i)) {
    const r = recordAt(records, i);
    if (n < verdicts.len && load<u8>(verdicts.ptr + n) != 0 && load<u8>(r, RECORD_TYPE) == TYPE_OBJECT)
      markOne(s, load<u32>(r, RECORD_START), load<u32>(r, RECORD_END) - 1, receipt);
    n += 1;
  }
  return n;
}

/** The last field of an object: of two that are named alike, clients read the last. */
function markOne(s: Session, open: u32, close: u32, receipt: Bytes): void {
  const document = s.bodyBytes().ptr;
  const out = changetype<Bytes>(s.replacements);
  const at = out.len;
  if (skipSpace(document + open + 1, document + close) < document + close) out.push(0x2c);
  put(out, '"writ_receipt":"');
  out.append(receipt.ptr, receipt.len);
  out.push(0x22);
  addEdit(changetype<Bytes>(s.edits), close, 0, at, out.len - at);
}
