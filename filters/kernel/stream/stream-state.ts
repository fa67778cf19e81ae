/**
 * A streamed reply in progress: bytes that are no complete event yet, events that wait, and one channel for each lane
 * (choice, field, tool call) with its text, its hits and how far it may be released.
 */
import { Bytes } from '../bytes';
import { allocZeroed, free } from '../memory';
import { Lane } from '../text/lane';
import { UrlState } from '../edit/url-state';

/** Lanes of one stream. */
export const CHANNELS_MAX: u32 = 1_024;
/**
 * What may wait for a match that is not complete. The longest match of a detector is far below; beyond, lanes that do
 * not wait overtake, and if that does not help the stream is refused.
 */
export const HELD_EVENTS_MAX: u32 = 4_096;
export const HELD_BYTES_MAX: u32 = 4 << 20;
/** The same where it waits for the arguments of a call: one event a token. */
export const HELD_CALL_EVENTS_MAX: u32 = 32_768;
export const HELD_CALL_BYTES_MAX: u32 = 8 << 20;

@unmanaged
export class Channel {
  next: usize = 0;
  choice: u32 = 0;
  field: u32 = 0;
  tool: u32 = 0;
  lane: usize = 0;
  /** Hits that are in no cluster yet, sorted; clusters whose segments wait; the first of them that is still needed. */
  hits: usize = 0;
  clusters: usize = 0;
  /** The lane's text so far, where it may be kept (keep/keep-stream.ts); 0 until there is some. Some is missing behind it. */
  kept: usize = 0;
  keptCut: bool = false;
  cluster: u32 = 0;
  /** Hits of the lane that were taken. */
  taken: u32 = 0;
  /** Arguments: the position of their call among the reply's, from 1; 0: not known, or nobody reads calls. */
  call: u32 = 0;
  /** Arguments: the machine's state at the end. */
  state: u32 = 0;
  /** Up to where placeholders were looked for. */
  searched: u32 = 0;
  /** Text before is settled: nothing that begins there can change any more. */
  hold: u32 = 0;
  touched: bool = false;
  finished: bool = false;
  /** In one attempt to release: an event of this lane stays. */
  blocked: bool = false;
  /** The fields of `UrlState`, in its order. */
  urlBefore: u32 = 0;
  urlState: u32 = 0;
  urlWs: u32 = 0;
  urlHost: u32 = 0;
  urlInside: bool = false;

  url(): UrlState {
    return changetype<UrlState>(changetype<usize>(this) + offsetof<Channel>('urlBefore'));
  }
  laneOf(): Lane {
    return changetype<Lane>(this.lane);
  }
  hitBytes(): Bytes {
    return changetype<Bytes>(this.hits);
  }
  clusterBytes(): Bytes {
    return changetype<Bytes>(this.clusters);
  }

  static create(choice: u32, field: u32, tool: u32): Channel {
    const p = allocZeroed(<u32>offsetof<Channel>());
    if (p == 0) return changetype<Channel>(0);
    const c = changetype<Channel>(p);
    c.choice = choice;
    c.field = field;
    c.tool = tool;
    c.lane = changetype<usize>(Lane.create());
    c.hits = changetype<usize>(Bytes.create());
    c.clusters = changetype<usize>(Bytes.create());
    if (c.lane != 0 && c.hits != 0 && c.clusters != 0) return c;
    c.destroy();
    return changetype<Channel>(0);
  }

  destroy(): void {
    if (this.lane != 0) this.laneOf().destroy();
    if (this.hits != 0) this.hitBytes().destroy();
    if (this.clusters != 0) this.clusterBytes().destroy();
    if (this.kept != 0) changetype<Bytes>(this.kept).destroy();
    free(changetype<usize>(this));
  }
}

@unmanaged
export class StreamEvent {
  next: usize = 0;
  /** The event as it came, with its blank line. */
  raw: usize = 0;
  /** Where its data stands in `raw`; or, of data in several lines, the joined data. */
  start: u32 = 0;
  length: u32 = 0;
  joined: usize = 0;
  segments: usize = 0;
  edits: usize = 0;
  /** What it has to do with calls of tools (see call-parts.ts); 0: nothing. */
  parts: usize = 0;
  /** It says nothing but of calls in one choice. */
  onlyCalls: bool = false;
  /** Something that we asked for and the client did not. */
  dropped: bool = false;
  /** It ends a choice or the message. */
  finishing: bool = false;
  /** Content blocks that it opens, and blocks or choices that it closes: bit n, for those below 64. */
  opens: u64 = 0;
  closes: u64 = 0;
  /** It has lines that stay here: only `event:` and `data:` go on. */
  bare: bool = false;
  /** Its `event:` line stays as well. */
  nameless: bool = false;

  rawBytes(): Bytes {
    return changetype<Bytes>(this.raw);
  }
  segmentBytes(): Bytes {
    return changetype<Bytes>(this.segments);
  }
  editBytes(): Bytes {
    return changetype<Bytes>(this.edits);
  }
  partBytes(): Bytes {
    return changetype<Bytes>(this.parts);
  }
  /** Address of the data. */
  document(): usize {
    return this.joined != 0 ? changetype<Bytes>(this.joined).ptr : this.rawBytes().ptr + this.start;
  }

  static create(ptr: usize, length: u32): StreamEvent {
    const p = allocZeroed(<u32>offsetof<StreamEvent>());
    if (p == 0) return changetype<StreamEvent>(0);
    const e = changetype<StreamEvent>(p);
    e.raw = changetype<usize>(Bytes.create());
    e.segments = changetype<usize>(Bytes.create());
    e.edits = changetype<usize>(Bytes.create());
    if (e.raw != 0 && e.segments != 0 && e.edits != 0) {
      e.rawBytes().append(ptr, length);
      if (!e.rawBytes().failed) return e;
    }
    e.destroy();
    return changetype<StreamEvent>(0);
  }

  destroy(): void {
    if (this.raw != 0) this.rawBytes().destroy();
    if (this.segments != 0) this.segmentBytes().destroy();
    if (this.edits != 0) this.editBytes().destroy();
    if (this.parts != 0) this.partBytes().destroy();
    if (this.joined != 0) changetype<Bytes>(this.joined).destroy();
    free(changetype<usize>(this));
  }
}

@unmanaged
export class Stream {
  /** Bytes that are no complete event yet; where the search for its end goes on, and in which line that is. */
  pending: usize = 0;
  searched: u32 = 0;
  searchedLine: u32 = 0;
  head: usize = 0;
  tail: usize = 0;
  heldEvents: u32 = 0;
  heldBytes: u32 = 0;
  channels: usize = 0;
  channelCount: u32 = 0;
  /** Names of fields that the protocol does not know, each a lane: address of the place around, length, bytes. */
  names: usize = 0;
  /** The reply is held whole, and decided once. */
  buffered: bool = false;
  /** First pass over a buffered reply: nothing is queued. Second: nothing is decided. */
  gathering: bool = false;
  settled: bool = false;
  /** The protocol's last event was read. */
  done: bool = false;
  /** A choice has said why it ended. */
  ended: bool = false;
  /** The last event that was read came without the blank line that ends it. */
  unclosed: bool = false;
  /** It was ended by us; because what a rule redacts stands where nothing can be redacted. */
  refused: bool = false;
  unedited: bool = false;
  /**
   * Choices (OpenAI) or content blocks (Anthropic) that are open for the client, by the events that have left: bit n,
   * for those below 64.
   */
  open: u64 = 0;

  pendingBytes(): Bytes {
    return changetype<Bytes>(this.pending);
  }
  nameBytes(): Bytes {
    return changetype<Bytes>(this.names);
  }

  static create(): Stream {
    const p = allocZeroed(<u32>offsetof<Stream>());
    if (p == 0) return changetype<Stream>(0);
    const s = changetype<Stream>(p);
    s.pending = changetype<usize>(Bytes.create());
    s.names = changetype<usize>(Bytes.create());
    if (s.pending != 0 && s.names != 0) return s;
    s.destroy();
    return changetype<Stream>(0);
  }

  destroy(): void {
    this.drop();
    if (this.pending != 0) this.pendingBytes().destroy();
    if (this.names != 0) this.nameBytes().destroy();
    free(changetype<usize>(this));
  }

  /** Forgets events and channels. */
  drop(): void {
    while (this.head != 0) this.shift().destroy();
    let c = this.channels;
    while (c != 0) {
      const channel = changetype<Channel>(c);
      c = channel.next;
      channel.destroy();
    }
    this.channels = 0;
    this.channelCount = 0;
  }

  push(e: StreamEvent): void {
    const p = changetype<usize>(e);
    if (this.tail != 0) changetype<StreamEvent>(this.tail).next = p;
    else this.head = p;
    this.tail = p;
    this.heldEvents += 1;
    this.heldBytes += e.rawBytes().len;
  }

  /** Takes the first event. */
  shift(): StreamEvent {
    const e = changetype<StreamEvent>(this.head);
    this.head = e.next;
    if (this.head == 0) this.tail = 0;
    this.heldEvents -= 1;
    this.heldBytes -= e.rawBytes().len;
    return e;
  }

  /** Takes the event behind `before` (an event's address). */
  takeAfter(before: usize): StreamEvent {
    const b = changetype<StreamEvent>(before);
    const e = changetype<StreamEvent>(b.next);
    b.next = e.next;
    if (b.next == 0) this.tail = before;
    this.heldEvents -= 1;
    this.heldBytes -= e.rawBytes().len;
    return e;
  }

  /** The channel of a lane, made where there is none; 0 when there are too many, or memory is exhausted. */
  channelOf(choice: u32, field: u32, tool: u32): Channel {
    for (let c = this.channels; c != 0; c = changetype<Channel>(c).next) {
      const channel = changetype<Channel>(c);
      if (channel.choice == choice && channel.field == field && channel.tool == tool) return channel;
    }
    if (this.channelCount >= CHANNELS_MAX) return changetype<Channel>(0);
    const made = Channel.create(choice, field, tool);
    if (changetype<usize>(made) == 0) return made;
    made.next = this.channels;
    this.channels = changetype<usize>(made);
    this.channelCount += 1;
    return made;
  }

  /** The number, from 1, of a field named [key, key + length) in the place `around`; 0 when there are too many. */
  nameOf(around: u32, key: usize, length: u32): u32 {
    const names = this.nameBytes();
    let n: u32 = 1;
    for (let at: u32 = 0; at < names.len; n += 1) {
      const entry = names.ptr + at;
      const bytes = load<u32>(entry, 4);
      if (load<u32>(entry) == around && bytes == length && memory.compare(entry + NAME_HEAD, key, length) == 0)
        return n;
      at += NAME_HEAD + bytes;
    }
    if (n > CHANNELS_MAX || !names.reserve(NAME_HEAD + length)) return 0;
    const entry = names.ptr + names.len;
    store<u32>(entry, around);
    store<u32>(entry, length, 4);
    memory.copy(entry + NAME_HEAD, key, length);
    names.len += NAME_HEAD + length;
    return n;
  }
}

const NAME_HEAD: u32 = 8;
