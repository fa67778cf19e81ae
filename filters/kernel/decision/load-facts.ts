/**
 * From a JSON object to the slots of the facts that a table says it holds: the decision's input document, a token's
 * claims, a chunk's metadata. Every fact of the table gets a state: what is not there takes what the policy says of an
 * absent value, what is not exactly of its type has failed, and so has what a doubled key leads to.
 */
import {
  EVENT_CHUNK,
  EVENT_COMPLETION,
  EVENT_EGRESS,
  EVENT_EXCHANGE,
  EVENT_INGEST,
  EVENT_PROMPT,
  EVENT_RETRIEVAL,
  EVENT_TOOL_CALL,
  FACT_FAILED,
  FACT_UNKNOWN,
  SLOT_BYTES,
  SLOT_STATE,
  T_FACTS,
} from '../abi';
import {
  atEnd,
  broken,
  expect,
  openDocument,
  peek,
  position,
  readText,
  rewind,
  skipValue,
  takes,
  textAt,
  textBytes,
} from './json-document';
import {
  ABSENT_ELSE,
  ABSENT_UNKNOWN,
  ENTRY_BYTES,
  ENTRY_EVENT,
  ENTRY_FACTS,
  ENTRY_KIND,
  ENTRY_NODE,
  ENTRY_TARGET,
  ENTRY_TOOL,
  FACT_ABSENT,
  FACT_DEFAULT,
  FACT_SPLIT,
  FACT_TYPE,
  FACTS_INPUT,
  FACTS_NODES,
  NODE_COUNT,
  NODE_HEAD_BYTES,
  NODE_TRACK,
} from './layout';
import { readValue, UNSEEN } from './read-value';
import { factRecord, section, storeNamed, textAtIs, toolCount, toolNamed } from './tables';

/**
 * What the document says of itself; -1: nothing that can be decided. `inputStore` is what `decide` takes beside the
 * event: of a tool call it is the tool.
 */
export let inputEvent: i32 = -1;
export let inputStore: i32 = -1;
let inputTool: i32 = -1;

/** The facts block that is being written. */
let block: usize = 0;
/** One byte a node: it has been read already. */
let seen: usize = 0;
let eventSeen: bool = false;
let storeSeen: bool = false;
let toolSeen: bool = false;
let splits: bool = false;
let keeps: bool = false;

/**
 * Reads the decision's input document. False where it is no JSON object; `inputEvent` and `inputStore` are then -1.
 * Facts point into the document and the arena.
 */
export function loadInput<A>(facts: usize, arena: A, json: usize, length: u32): bool {
  inputEvent = -1;
  inputStore = -1;
  inputTool = noTool();
  const isRead = loadObject<A>(load<u32>(section(T_FACTS), FACTS_INPUT), facts, arena, json, length, false, false);
  if (isRead && inputEvent == EVENT_TOOL_CALL) inputStore = inputTool;
  if (isRead) return true;
  inputEvent = -1;
  inputStore = -1;
  return false;
}

/**
 * Reads the facts of a table from a JSON object. False where it is none: all of them have failed then. `split` lets
 * texts be cut into sets; `keep` copies texts into the arena.
 */
export function loadObject<A>(
  node: usize,
  facts: usize,
  arena: A,
  json: usize,
  length: u32,
  split: bool,
  keep: bool,
): bool {
  block = facts;
  splits = split;
  keeps = keep;
  eventSeen = false;
  storeSeen = false;
  toolSeen = false;
  const nodes = load<u32>(section(T_FACTS), FACTS_NODES);
  seen = arena.take(nodes);
  if (seen == 0) {
    setAll(node, FACT_FAILED);
    return false;
  }
  memory.fill(seen, 0, nodes);
  setAll(node, UNSEEN);
  openDocument(json, length);
  if (readNode<A>(node, arena, 1) && atEnd()) {
    settle(node);
    return true;
  }
  setAll(node, FACT_FAILED);
  return false;
}

/** Gives every fact under a node the state. */
export function setAllFacts(node: usize, facts: usize, state: u32): void {
  block = facts;
  setAll(node, state);
}

function readNode<A>(node: usize, arena: A, depth: u32): bool {
  if (!takes(0x7b)) return false;
  if (takes(0x7d)) return true;
  do {
    if (!readText<A>(arena) || !expect(0x3a)) return false;
    const entry = entryOf(node, textAt, textBytes);
    if (entry == 0 ? !skipValue(depth + 1) : !readEntry<A>(entry, arena, depth + 1)) return false;
  } while (takes(0x2c));
  return expect(0x7d);
}

function entryOf(node: usize, key: usize, length: u32): usize {
  const count = load<u32>(node, NODE_COUNT);
  let entry = node + NODE_HEAD_BYTES;
  for (let at: u32 = 0; at < count; at++, entry += ENTRY_BYTES) if (textAtIs(entry, key, length)) return entry;
  return 0;
}

function readEntry<A>(entry: usize, arena: A, depth: u32): bool {
  const kind = load<u32>(entry, ENTRY_KIND);
  const target = <usize>load<u32>(entry, ENTRY_TARGET);
  if (kind == ENTRY_NODE) return readChild<A>(target, arena, depth);
  if (kind == ENTRY_FACTS) {
    const count = load<u32>(target);
    const start = position();
    for (let at: u32 = 1; at <= count; at++) {
      rewind(start);
      if (!readFact<A>(load<u32>(target + (at << 2)), arena, depth)) return false;
    }
    return true;
  }
  const first = peek();
  const isText = first == 0x22;
  if (!isText) {
    if (!skipValue(depth)) return false;
  } else if (!readText<A>(arena)) return false;
  if (kind == ENTRY_EVENT) {
    inputEvent = isText && !eventSeen ? eventNamed(textAt, textBytes) : -1;
    eventSeen = true;
  } else if (kind == ENTRY_TOOL) {
    inputTool = toolSeen ? -1 : isText ? toolNamed(textAt, textBytes) : first == 0x6e ? noTool() : -1;
    toolSeen = true;
  } else {
    inputStore = isText && !storeSeen ? storeNamed(textAt, textBytes) : -1;
    storeSeen = true;
  }
  return true;
}

/** False only where the document is broken. */
function readChild<A>(node: usize, arena: A, depth: u32): bool {
  const track = seen + load<u32>(node, NODE_TRACK);
  const isDouble = load<u8>(track) != 0;
  store<u8>(track, 1);
  if (!isDouble) {
    const first = peek();
    if (first == 0x7b) return readNode<A>(node, arena, depth);
    if (first == 0x6e) return skipValue(depth);
  }
  setAll(node, FACT_FAILED);
  return skipValue(depth);
}

/** False only where the document is broken. */
function readFact<A>(fact: u32, arena: A, depth: u32): bool {
  const slot = block + fact * SLOT_BYTES;
  if (load<u8>(slot, SLOT_STATE) != UNSEEN) {
    store<u8>(slot, FACT_FAILED, SLOT_STATE);
    return skipValue(depth);
  }
  if (peek() == 0x6e) {
    // Null is absent; but a second value under the same key still fails the fact.
    applyAbsence(fact, slot);
    return skipValue(depth);
  }
  const record = factRecord(fact);
  const start = position();
  const split = splits && load<u32>(record, FACT_SPLIT + 4) != 0 ? record + FACT_SPLIT : 0;
  if (readValue<A>(record + FACT_TYPE, split, slot, arena, keeps, depth)) return true;
  store<u8>(slot, FACT_FAILED, SLOT_STATE);
  if (broken) return false;
  rewind(start);
  return skipValue(depth);
}

/** Facts that nothing was read into take what the policy says of an absent value. */
function settle(node: usize): void {
  const count = load<u32>(node, NODE_COUNT);
  let entry = node + NODE_HEAD_BYTES;
  for (let at: u32 = 0; at < count; at++, entry += ENTRY_BYTES) {
    const kind = load<u32>(entry, ENTRY_KIND);
    const target = <usize>load<u32>(entry, ENTRY_TARGET);
    if (kind == ENTRY_NODE) settle(target);
    else if (kind == ENTRY_FACTS) {
      const facts = load<u32>(target);
      for (let n: u32 = 1; n <= facts; n++) {
        const fact = load<u32>(target + (n << 2));
        const slot = block + fact * SLOT_BYTES;
        if (load<u8>(slot, SLOT_STATE) == UNSEEN) applyAbsence(fact, slot);
      }
    }
  }
}

function applyAbsence(fact: u32, slot: usize): void {
  const record = factRecord(fact);
  const absent = load<u8>(record, FACT_ABSENT);
  if (absent == ABSENT_ELSE) memory.copy(slot, load<u32>(record, FACT_DEFAULT), SLOT_BYTES);
  else store<u8>(slot, absent == ABSENT_UNKNOWN ? FACT_UNKNOWN : FACT_FAILED, SLOT_STATE);
}

function setAll(node: usize, state: u32): void {
  const count = load<u32>(node, NODE_COUNT);
  let entry = node + NODE_HEAD_BYTES;
  for (let at: u32 = 0; at < count; at++, entry += ENTRY_BYTES) {
    const kind = load<u32>(entry, ENTRY_KIND);
    const target = <usize>load<u32>(entry, ENTRY_TARGET);
    if (kind == ENTRY_NODE) setAll(target, state);
    else if (kind == ENTRY_FACTS) {
      const facts = load<u32>(target);
      for (let n: u32 = 1; n <= facts; n++)
        store<u8>(block + load<u32>(target + (n << 2)) * SLOT_BYTES, state, SLOT_STATE);
    }
  }
}

/** As `decide` takes a call of no tool. */
function noTool(): i32 {
  return <i32>toolCount();
}

function eventNamed(name: usize, length: u32): i32 {
  if (length == 6 && isSix(name, 0x6d6f7270, 0x7470)) return EVENT_PROMPT;
  if (length == 6 && isSix(name, 0x65676e69, 0x7473)) return EVENT_INGEST;
  if (length == 6 && isSix(name, 0x65726765, 0x7373)) return EVENT_EGRESS;
  if (length == 5 && load<u32>(name) == 0x6e756863 && load<u8>(name, 4) == 0x6b) return EVENT_CHUNK;
  if (length == 8 && load<u64>(name) == 0x65676e6168637865) return EVENT_EXCHANGE;
  if (length == 9 && load<u64>(name) == 0x6176656972746572 && load<u8>(name, 8) == 0x6c) return EVENT_RETRIEVAL;
  if (length == 9 && load<u64>(name) == 0x6c61635f6c6f6f74 && load<u8>(name, 8) == 0x6c) return EVENT_TOOL_CALL;
  if (length == 10 && load<u64>(name) == 0x6974656c706d6f63 && load<u16>(name, 8) == 0x6e6f) return EVENT_COMPLETION;
  return -1;
}

/** Whether six bytes are these four and two, little-endian. */
function isSix(name: usize, first: u32, last: u32): bool {
  return load<u32>(name) == first && load<u16>(name, 4) == last;
}
