/**
 * One HTTP exchange: everything that the kernel knows of it, from the request's headers to the end. Created by
 * `newSession`, freed by `endSession`; nothing outlives it but what is in no session (the cache of collection ids).
 */
import { FACT_NOW } from '../abi';
import { Bytes } from '../bytes';
import { Arena, newFacts, newResult, setValue } from '../decision/api';
import { allocZeroed, free } from '../memory';
import { Lane } from '../text/lane';
import { Output } from './output';
import { Stream } from '../stream/stream-state';
import { freeCalls } from './call-entries';
import { Values } from '../edit/values';

// Where the exchange stands.
export const PHASE_NEW: u32 = 0;
/** The request's body is coming in. */
export const PHASE_REQUEST: u32 = 1;
export const PHASE_LEVELS: u32 = 2;
export const PHASE_CALL: u32 = 3;
/** The request is on its way; the reply has not begun. */
export const PHASE_SENT: u32 = 4;
/** A reply that is held whole. */
export const PHASE_REPLY: u32 = 5;
export const PHASE_STREAM: u32 = 6;
/** A reply that passes as it is. */
export const PHASE_PASS: u32 = 7;
/** Answered by us, or over: nothing more is forwarded. */
export const PHASE_DONE: u32 = 8;
/** The queue of reviews is asked. */
export const PHASE_REVIEW: u32 = 9;
/** The record of the exchange is about to be kept. */
export const PHASE_RECORD: u32 = 10;

@unmanaged
export class Session {
  nonce: u64 = 0;
  /** Milliseconds since 1970 UTC at which the request arrived. */
  now: i64 = 0;
  phase: u32 = 0;
  identified: bool = false;
  /** The request's method and path are known, and an endpoint serves them. */
  endpoint: usize = 0;
  form: u32 = 0;

  facts: usize = 0;
  result: usize = 0;
  arena: usize = 0;
  output: usize = 0;
  values: usize = 0;

  /** The body that is held: the request's, then the reply's. */
  body: usize = 0;
  records: usize = 0;
  /** Lane for text that is complete; its segments, hits and groups. */
  lane: usize = 0;
  /** Lane for one part of several; 0 until there is one. */
  partLane: usize = 0;
  segments: usize = 0;
  hits: usize = 0;
  groups: usize = 0;
  clusters: usize = 0;
  edits: usize = 0;
  replacements: usize = 0;
  text: usize = 0;
  /** Names of request headers that do not go on. */
  removals: usize = 0;
  stream: usize = 0;

  /** The path of the request (a copy in `text` of the arena), and its captures. */
  path: usize = 0;
  pathBytes: u32 = 0;
  captures: usize = 0;

  /**
   * Where the policy holds or keeps something for review: who calls, whatever else the token says (0: a caller who cannot be told
   * from others), the id of the caller for people, and the ticket that the request carried (0: none).
   */
  caller: usize = 0;
  callerBytes: u32 = 0;
  callerId: usize = 0;
  callerIdBytes: u32 = 0;
  ticket: usize = 0;

  /** What is kept of the exchange (keep/keeps.ts): its id, 0 where the policy keeps nothing; whether it may be kept. */
  id: usize = 0;
  draw: u32 = 0;
  keeping: bool = false;
  keeps: usize = 0;
  keptPrompt: usize = 0;
  keptReply: usize = 0;
  keptCut: bool = false;
  wasDenied: bool = false;
  /** Rules on exchanges have decided it. */
  isOver: bool = false;
  /** Some rule wants a record, and the host has kept that of the prompt. */
  wantsRecord: bool = false;
  isRecorded: bool = false;
  /** Bytes of a streamed reply that wait to be masked. */
  keptBytes: u32 = 0;

  // What the request said.
  hasBody: bool = false;
  /** The host holds the bodies that are held, too: it needs only what edits change. */
  hostHolds: bool = false;
  hadLength: bool = false;
  asksStream: bool = false;
  asksUsage: bool = false;
  /** Record of the requested model; position of the chosen one among the policy's models. */
  model: i32 = -1;
  chosen: i32 = -1;
  choices: u32 = 1;
  /** Bits of the detectors that found something in the event's text, and of those that found something new. */
  foundLow: u64 = 0;
  foundHigh: u64 = 0;
  newLow: u64 = 0;
  newHigh: u64 = 0;
  isReply: bool = false;
  messageCount: u32 = 0;
  /**
   * Position of the last message of the user, and each message's bits of what was found in it (0: nobody reads them).
   */
  lastUser: u32 = 0;
  messageBits: usize = 0;
  /** Something was found where nothing can be edited. */
  fixed: bool = false;
  /** Memory or a limit ran out: the exchange is refused. */
  failed: bool = false;
  /** Bytes of text seen in the event. */
  textBytes: u32 = 0;
  /** Bytes of text, and structure, that a model may read beside the messages. */
  structureBytes: u32 = 0;

  // What the reply said.
  status: u32 = 0;
  /** The reply, or what matters of it, was at its end when usage was told. */
  usageIsFinal: bool = false;
  inputTokens: i64 = -1;
  outputTokens: i64 = -1;
  finish: usize = 0;
  finishBytes: u32 = 0;
  /** Calls of tools (see tool-calls.ts); they cannot be told apart. */
  calls: usize = 0;
  callsFailed: bool = false;
  reserved: bool = false;
  /** What the host said of the budgets: see budget.ts. */
  levels: usize = 0;
  /** A denial that will not hold any more after so many seconds; 0: nothing is known of that. */
  retrySeconds: u32 = 0;
  /** It is a rate that denies. */
  overRate: bool = false;

  // Retrieval.
  store: i32 = -1;
  callStore: u32 = 0;
  limit: i64 = -1;
  /** Chunks that a row may have at last, -1: all. */
  keepMost: i64 = -1;
  /** Only we asked for the metadata. */
  dropMetadata: bool = false;
  /** Only we asked for the documents. */
  dropDocuments: bool = false;
  /** The search is for words of the documents: what it finds tells of them. */
  asksText: bool = false;
  /** And its metadata, so that none may be found whose metadata a rule redacts. */
  asksMetadata: bool = false;
  /** One byte a chunk: whether it passes. */
  verdicts: usize = 0;
  /** Elements of the fact of all chunks: see all-chunks.ts. 0 until an answer is read of which a rule asks that. */
  allChunks: usize = 0;
  /** Versions of the chunks that pass: see newest.ts. */
  versions: usize = 0;
  /** The search filters, or names ids: what it finds answers a question about each chunk. */
  isAsked: bool = false;
  /** What the client is told of what is withheld: see notices.ts. 0 until something is. */
  notices: usize = 0;
  /** The rule of the store whose versions are being compared. */
  keepRule: u32 = 0;

  bodyBytes(): Bytes {
    return changetype<Bytes>(this.body);
  }
  recordBytes(): Bytes {
    return changetype<Bytes>(this.records);
  }
  laneOf(): Lane {
    return changetype<Lane>(this.lane);
  }
  /** An empty lane; 0 when memory is exhausted. */
  partLaneOf(): Lane {
    if (this.partLane == 0) this.partLane = changetype<usize>(Lane.create());
    else changetype<Lane>(this.partLane).clear();
    return changetype<Lane>(this.partLane);
  }
  out(): Output {
    return changetype<Output>(this.output);
  }
  valuesOf(): Values {
    return changetype<Values>(this.values);
  }
  streamOf(): Stream {
    return changetype<Stream>(this.stream);
  }
}

/** A session, or 0 when memory is exhausted. */
export function newSession(nonce: u64, now: i64): usize {
  const p = allocZeroed(<u32>offsetof<Session>());
  if (p == 0) return 0;
  const s = changetype<Session>(p);
  s.nonce = nonce;
  s.now = now;
  s.model = -1;
  s.chosen = -1;
  s.store = -1;
  s.choices = 1;
  s.inputTokens = -1;
  s.outputTokens = -1;
  s.limit = -1;
  s.keepMost = -1;
  s.facts = newFacts();
  s.result = newResult();
  s.arena = changetype<usize>(Arena.create());
  s.output = changetype<usize>(Output.create());
  s.values = allocZeroed(<u32>offsetof<Values>());
  s.lane = changetype<usize>(Lane.create());
  s.body = changetype<usize>(Bytes.create());
  s.records = changetype<usize>(Bytes.create());
  s.segments = changetype<usize>(Bytes.create());
  s.hits = changetype<usize>(Bytes.create());
  s.groups = changetype<usize>(Bytes.create());
  s.clusters = changetype<usize>(Bytes.create());
  s.edits = changetype<usize>(Bytes.create());
  s.replacements = changetype<usize>(Bytes.create());
  s.text = changetype<usize>(Bytes.create());
  s.removals = changetype<usize>(Bytes.create());
  s.verdicts = changetype<usize>(Bytes.create());
  s.versions = changetype<usize>(Bytes.create());
  s.levels = changetype<usize>(Bytes.create());
  const complete =
    s.facts != 0 &&
    s.result != 0 &&
    s.arena != 0 &&
    s.output != 0 &&
    s.values != 0 &&
    s.lane != 0 &&
    s.body != 0 &&
    s.records != 0 &&
    s.segments != 0 &&
    s.hits != 0 &&
    s.groups != 0 &&
    s.clusters != 0 &&
    s.edits != 0 &&
    s.replacements != 0 &&
    s.text != 0 &&
    s.removals != 0 &&
    s.verdicts != 0 &&
    s.versions != 0 &&
    s.levels != 0;
  if (complete) {
    setValue(s.facts, FACT_NOW, now);
    s.valuesOf().seed = (<u32>(nonce >> 32)) ^ (<u32>nonce);
    return p;
  }
  freeSession(s);
  return 0;
}

export function freeSession(s: Session): void {
  if (s.stream != 0) s.streamOf().destroy();
  if (s.values != 0) s.valuesOf().drop();
  if (s.lane != 0) s.laneOf().destroy();
  if (s.partLane != 0) changetype<Lane>(s.partLane).destroy();
  drop(s.notices);
  if (s.arena != 0) changetype<Arena>(s.arena).destroy();
  if (s.output != 0) s.out().destroy();
  drop(s.body);
  drop(s.records);
  drop(s.segments);
  drop(s.hits);
  drop(s.groups);
  drop(s.clusters);
  drop(s.edits);
  drop(s.replacements);
  drop(s.text);
  drop(s.removals);
  drop(s.verdicts);
  freeCalls(s.calls);
  drop(s.versions);
  drop(s.allChunks);
  drop(s.levels);
  drop(s.keeps);
  drop(s.keptPrompt);
  drop(s.keptReply);
  free(s.values);
  free(s.facts);
  free(s.result);
  free(changetype<usize>(s));
}

function drop(bytes: usize): void {
  if (bytes != 0) changetype<Bytes>(bytes).destroy();
}
