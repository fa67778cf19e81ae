/**
 * What is kept of an exchange for review. Whether it may be is known when it begins, by the draw of its id; whether it is,
 * once it was decided. What was said is masked as reviewers see it (review/review-copy.ts) and told to the host when the
 * exchange is over, as `writ.v1.KeptExchange`: nothing waits for it.
 */
import { ACTION_RECORD, FACT_EXCHANGE_DRAW, T_KEEP } from '../abi';
import { Bytes } from '../bytes';
import { Arena, modelRecord, setValue } from '../decision/api';
import {
  KEEP_BYTES,
  KEEP_GROUP,
  KEEP_MILLISECONDS,
  KEEP_NODE,
  KEEP_REVIEWERS,
  KEEP_RULE,
  MODEL_NAME,
  OUTCOME_DENY,
  RESULT_OUTCOME,
  RESULT_SITE,
  SITE_AT_FIRED,
  SITE_KEEPS,
} from '../decision/layout';
import { isSameKeep, isSet } from '../decision/render';
import { section } from '../decision/tables';
import { addToHash, beginHash, endHash } from '../http/sha256';
import { putField, putRun } from '../protobuf';
import { copyIsCut, writeCopy } from '../review/review-copy';
import { deny } from '../session/denial';
import { PHASE_RECORD, Session } from '../session/session-state';

// Fields of KeptExchange, and of a Keep in it.
const FIELD_ID: u32 = 0x0a;
const FIELD_CALLER_ID: u32 = 0x12;
const FIELD_MODEL: u32 = 0x1a;
const FIELD_KEEP: u32 = 0x22;
const FIELD_PROMPT: u32 = 0x2a;
const FIELD_REPLY: u32 = 0x32;
const FIELD_CUT: u32 = 0x38;
const FIELD_DENIED: u32 = 0x40;
const FIELD_AT: u32 = 0x48;
const FIELD_ENDED: u32 = 0x50;
const FIELD_RULE: u32 = 0x0a;
const FIELD_REVIEWERS: u32 = 0x12;
const FIELD_GROUP: u32 = 0x1a;
const FIELD_MILLISECONDS: u32 = 0x20;

export const ID_BYTES: u32 = 16;
/** Draws are 0 to this, exclusive. */
const DRAWS: u64 = 1_000_000;
/** Of another kind than every other hash of ours. */
const KIND: usize = memory.data<u8>([0x77, 0x72, 0x69, 0x74, 0x20, 0x6b, 0x65, 0x65, 0x70, 0x20, 0x31]);
const KIND_BYTES: u32 = 11;
const digest: usize = memory.data(32, 8);
const number: usize = memory.data(8, 8);

/**
 * Names the exchange, by what no client knows or chooses, and draws by the name: its first eight bytes, little-endian,
 * modulo a million. Whoever has the id can check the draw.
 */
export function drawExchange(s: Session): void {
  if (section(T_KEEP) == 0) return;
  beginHash();
  addToHash(KIND, KIND_BYTES);
  store<u64>(number, s.nonce);
  addToHash(number, 8);
  store<u64>(number, <u64>s.now);
  addToHash(number, 8);
  endHash(digest);
  s.id = changetype<Arena>(s.arena).take(ID_BYTES);
  if (s.id == 0) {
    s.failed = true;
    return;
  }
  memory.copy(s.id, digest, ID_BYTES);
  s.draw = <u32>(load<u64>(digest) % DRAWS);
  setValue(s.facts, FACT_EXCHANGE_DRAW, s.draw);
}

/** Notes what the decision in `s.result`, which is not decided again, asks to keep. */
export function noteKeeps(s: Session): void {
  if (s.id == 0) return;
  const site = <usize>load<u32>(s.result, RESULT_SITE);
  if (site == 0) return;
  if (load<u8>(s.result, RESULT_OUTCOME) == OUTCOME_DENY) s.wasDenied = true;
  const count = load<u32>(site, SITE_KEEPS + 4);
  if (count == 0) return;
  const fired = s.result + load<u32>(site, SITE_AT_FIRED);
  let entry = <usize>load<u32>(site, SITE_KEEPS);
  let last: usize = 0;
  const keep = Bytes.create();
  if (s.keeps == 0) s.keeps = changetype<usize>(Bytes.create());
  for (let i: u32 = 0; changetype<usize>(keep) != 0 && s.keeps != 0 && i < count; i += 1, entry += KEEP_BYTES) {
    if (!isSet(fired, load<u32>(entry, KEEP_NODE)) || (last != 0 && isSameKeep(last, entry))) continue;
    last = entry;
    keep.clear();
    putText(keep, FIELD_RULE, entry + KEEP_RULE);
    putText(keep, FIELD_REVIEWERS, entry + KEEP_REVIEWERS);
    putText(keep, FIELD_GROUP, entry + KEEP_GROUP);
    const milliseconds = load<u64>(entry, KEEP_MILLISECONDS);
    putField(keep, FIELD_MILLISECONDS, milliseconds);
    if (milliseconds > 0) s.wantsRecord = true;
    putRun(changetype<Bytes>(s.keeps), FIELD_KEEP, keep.ptr, keep.len);
  }
  if (changetype<usize>(keep) != 0) keep.destroy();
}

/** The prompt is decided: it is copied where it is kept, or may be once its completion is known. */
export function keepPrompt(s: Session): void {
  if (s.id == 0) return;
  s.keeping = hasKeeps(s) || s.draw < load<u32>(section(T_KEEP));
  if (s.keeping) s.keptPrompt = copy(s);
}

/** The reply, which is here whole, is decided. */
export function keepReply(s: Session): void {
  if (s.keeping) s.keptReply = copy(s);
}

function hasKeeps(s: Session): bool {
  return s.keeps != 0 && changetype<Bytes>(s.keeps).len > 0;
}

function copy(s: Session): usize {
  const out = Bytes.create();
  if (changetype<usize>(out) == 0) return 0;
  if (!writeCopy(s, out)) {
    out.destroy();
    return 0;
  }
  if (copyIsCut) s.keptCut = true;
  return changetype<usize>(out);
}

/** What a rule wants a record of has none yet: the host is asked to keep it before the request goes on. */
export function askRecord(s: Session): i32 {
  putKept(s, false);
  if (s.out().keptRun().len == 0) return refuseUnrecorded(s);
  s.phase = PHASE_RECORD;
  return ACTION_RECORD;
}

export function refuseUnrecorded(s: Session): i32 {
  return deny(s, 503, 'a rule wants a record of this exchange, and none can be kept');
}

/** The exchange is over. */
export function writeKept(s: Session): void {
  putKept(s, true);
}

function putKept(s: Session, ended: bool): void {
  if (!hasKeeps(s) || s.keptPrompt == 0) return;
  const out = s.out().keptRun();
  putRun(out, FIELD_ID, s.id, ID_BYTES);
  putRun(out, FIELD_CALLER_ID, s.callerId, s.callerIdBytes);
  if (s.chosen >= 0) putText(out, FIELD_MODEL, modelRecord(s.chosen) + MODEL_NAME);
  const keeps = changetype<Bytes>(s.keeps);
  out.append(keeps.ptr, keeps.len);
  putCopy(out, FIELD_PROMPT, s.keptPrompt);
  putCopy(out, FIELD_REPLY, s.keptReply);
  putField(out, FIELD_CUT, s.keptCut ? 1 : 0);
  putField(out, FIELD_DENIED, s.wasDenied ? 1 : 0);
  putField(out, FIELD_AT, <u64>s.now);
  putField(out, FIELD_ENDED, ended ? 1 : 0);
  // Half of it says nothing.
  if (out.failed || keeps.failed) out.clear();
}

function putCopy(out: Bytes, tag: u32, copied: usize): void {
  if (copied != 0) putRun(out, tag, changetype<Bytes>(copied).ptr, changetype<Bytes>(copied).len);
}

function putText(out: Bytes, tag: u32, place: usize): void {
  putRun(out, tag, <usize>load<u32>(place), load<u32>(place, 4));
}
