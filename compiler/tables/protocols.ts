/**
 * The section T_PROTOCOLS: every endpoint and every place of the protocols, as the kernel's walker reads them. Layout:
 * filters/kernel/protocol/places.ts; all offsets are relative to the section's start. Equal places share one node.
 */
import * as P from '../../filters/kernel/protocol/places.ts';
import type {
  ArrayMeaning,
  BoolMeaning,
  Column,
  Endpoint,
  Lane,
  NumberMeaning,
  ObjectMeaning,
  Place,
  Protocol,
  StringMeaning,
} from '../../filters/protocols/protocol.ts';
import { SectionBytes } from './section-bytes.ts';

const STRINGS: { readonly [K in StringMeaning]: number } = {
  plain: P.PLACE_PLAIN,
  text: P.PLACE_TEXT,
  part: P.PLACE_PART,
  arguments: P.PLACE_ARGUMENTS,
  local: P.PLACE_LOCAL,
  enum: P.PLACE_ENUM,
  model: P.PLACE_MODEL,
  role: P.PLACE_ROLE,
  tool_name: P.PLACE_TOOL_NAME,
  finish: P.PLACE_FINISH,
  event_type: P.PLACE_EVENT_TYPE,
  chunk_id: P.PLACE_CHUNK_ID,
  chunk_text: P.PLACE_CHUNK_TEXT,
  include: P.PLACE_INCLUDE,
  collection_id: P.PLACE_COLLECTION_ID,
  collection_name: P.PLACE_COLLECTION_NAME,
};
const NUMBERS: { readonly [K in NumberMeaning]: number } = {
  plain: P.PLACE_PLAIN,
  vector: P.PLACE_VECTOR,
  output_limit: P.PLACE_OUTPUT_LIMIT,
  choices: P.PLACE_CHOICES,
  choice_index: P.PLACE_CHOICE_INDEX,
  tool_index: P.PLACE_TOOL_INDEX,
  usage_input: P.PLACE_USAGE_INPUT,
  usage_output: P.PLACE_USAGE_OUTPUT,
  limit: P.PLACE_LIMIT,
  offset: P.PLACE_OFFSET,
  cell: P.PLACE_CELL,
};
const BOOLS: { readonly [K in BoolMeaning]: number } = {
  plain: P.PLACE_PLAIN,
  stream: P.PLACE_STREAM,
  include_usage: P.PLACE_INCLUDE_USAGE,
};
const NULLS: { readonly [K in NonNullable<Place['null']>]: number } = {
  plain: P.PLACE_PLAIN,
  cell: P.PLACE_CELL,
  empty: P.PLACE_EMPTY,
};
const OBJECTS: { readonly [K in ObjectMeaning]: number } = {
  message: P.PLACE_MESSAGE,
  choice: P.PLACE_CHOICE,
  tool: P.PLACE_TOOL,
  tool_call: P.PLACE_TOOL_CALL,
  stream_options: P.PLACE_STREAM_OPTIONS,
  usage: P.PLACE_USAGE,
  where: P.PLACE_WHERE,
  where_text: P.PLACE_WHERE_TEXT,
  metadata: P.PLACE_METADATA,
  tool_input: P.PLACE_TOOL_INPUT,
};
const ARRAYS: { readonly [K in ArrayMeaning]: number } = {
  choice_list: P.PLACE_CHOICE_LIST,
  column: P.PLACE_COLUMN,
  row: P.PLACE_ROW,
  include_list: P.PLACE_INCLUDE_LIST,
  vector_cell: P.PLACE_VECTOR_CELL,
  tool_calls: P.PLACE_TOOL_CALLS,
};
const LANES: { readonly [K in Lane]: number } = {
  content: P.LANE_CONTENT,
  refusal: P.LANE_REFUSAL,
  reasoning: P.LANE_REASONING,
  arguments: P.LANE_ARGUMENTS,
  other: P.LANE_OTHER,
};
const COLUMNS: { readonly [K in Column]: number } = {
  ids: P.COLUMN_IDS,
  documents: P.COLUMN_DOCUMENTS,
  metadatas: P.COLUMN_METADATAS,
  distances: P.COLUMN_DISTANCES,
  embeddings: P.COLUMN_EMBEDDINGS,
  uris: P.COLUMN_URIS,
};
const METHODS: { readonly [K in Endpoint['method']]: number } = {
  GET: P.METHOD_GET,
  POST: P.METHOD_POST,
  PUT: P.METHOD_PUT,
  DELETE: P.METHOD_DELETE,
};
const EVENTS: { readonly [K in Endpoint['event']]: number } = {
  pass: P.ENDPOINT_PASS,
  prompt: P.ENDPOINT_PROMPT,
  retrieval: P.ENDPOINT_RETRIEVAL,
  ingest: P.ENDPOINT_INGEST,
};
const FORMS: { readonly [K in Protocol['form']]: number } = {
  openai: P.FORM_OPENAI,
  anthropic: P.FORM_ANTHROPIC,
  chroma: P.FORM_CHROMA,
};

/** The seen-bits of the walker hold so many known keys an object. */
export const KNOWN_KEYS_MAX = 128;

/** The bytes of T_PROTOCOLS. */
export function protocolTable(protocols: readonly Protocol[]): Uint8Array {
  const section = new Section();
  const endpoints = protocols.flatMap((protocol) => protocol.endpoints.map((endpoint) => ({ protocol, endpoint })));
  section.reserve(P.ENDPOINTS + endpoints.length * P.ENDPOINT_BYTES);
  section.u32(0, endpoints.length);
  section.u32(P.SECTION_ANY, writeAny(section, 'local', ''));
  endpoints.forEach(({ protocol, endpoint }, i) => {
    const at = P.ENDPOINTS + i * P.ENDPOINT_BYTES;
    section.u8(at + P.ENDPOINT_METHOD, METHODS[endpoint.method]);
    section.u8(at + P.ENDPOINT_EVENT, EVENTS[endpoint.event]);
    section.u8(at + P.ENDPOINT_FORM, FORMS[protocol.form]);
    section.u8(at + P.ENDPOINT_FLAGS, endpointFlags(endpoint));
    const path = section.string(endpoint.path);
    section.u32(at + P.ENDPOINT_PATH, path.at);
    section.u32(at + P.ENDPOINT_PATH_BYTES, path.bytes);
    const name = section.string(endpoint.name);
    section.u32(at + P.ENDPOINT_NAME, name.at);
    section.u32(at + P.ENDPOINT_NAME_BYTES, name.bytes);
    section.u32(at + P.ENDPOINT_REQUEST, endpoint.request ? writePlace(section, endpoint.request, '') : 0);
    section.u32(at + P.ENDPOINT_REPLY, endpoint.reply ? writePlace(section, endpoint.reply, '') : 0);
    section.u32(at + P.ENDPOINT_STREAM, endpoint.stream ? writePlace(section, endpoint.stream, '') : 0);
    section.u32(at + P.ENDPOINT_OVERHEAD, endpoint.overhead?.request ?? 0);
    section.u32(at + P.ENDPOINT_OVERHEAD_MESSAGE, endpoint.overhead?.message ?? 0);
    if (endpoint.settable)
      section.u32(at + P.ENDPOINT_SETTABLE, writePlace(section, { object: { fields: endpoint.settable } }, ''));
  });
  return section.finish();
}

function endpointFlags(endpoint: Endpoint): number {
  return (
    (endpoint.rows ? P.FLAG_ROWS : 0) |
    (endpoint.byName ? P.FLAG_BY_NAME : 0) |
    (endpoint.noOutput ? P.FLAG_NO_OUTPUT : 0) |
    (endpoint.askUsage ? P.FLAG_ASK_USAGE : 0) |
    (endpoint.keeps ? P.FLAG_KEEPS : 0) |
    (endpoint.maxTokens ? P.FLAG_LIMIT_MAX_TOKENS : 0)
  );
}

/** Writes the node of a place and of all below it; `name` is how people call it, e.g. `messages[].content`. */
function writePlace(section: Section, place: Place, name: string): number {
  if (place.any !== undefined) return writeAny(section, place.any, name);
  const at = section.reserve(P.NODE_BYTES);
  const kinds: readonly [number, number][] = [
    [P.NODE_STRING, place.string ? STRINGS[place.string] : P.PLACE_DENY],
    [P.NODE_NUMBER, place.number ? NUMBERS[place.number] : P.PLACE_DENY],
    [P.NODE_BOOL, place.bool ? BOOLS[place.bool] : P.PLACE_DENY],
    [P.NODE_NULL, place.null ? NULLS[place.null] : P.PLACE_DENY],
    [P.NODE_OBJECT, place.object ? (place.object.as ? OBJECTS[place.object.as] : P.PLACE_OBJECT) : P.PLACE_DENY],
    [P.NODE_ARRAY, place.array ? (place.array.as ? ARRAYS[place.array.as] : P.PLACE_ARRAY) : P.PLACE_DENY],
    [P.NODE_FLAGS, (place.values && !place.open ? P.FLAG_CLOSED : 0) | (place.object?.others ? P.FLAG_KEYS : 0)],
    [P.NODE_LANE, place.lane ? LANES[place.lane] : place.column ? COLUMNS[place.column] : 0],
  ];
  for (const [offset, kind] of kinds) section.u8(at + offset, kind);
  section.u32(at + P.NODE_NAME, section.name(name));
  if (place.values) section.u32(at + P.NODE_VALUES, writeValues(section, place.values));
  if (place.array) section.u32(at + P.NODE_ELEMENT, writePlace(section, place.array.of, `${name}[]`));
  if (place.object) {
    const join = (key: string): string => (name === '' ? key : `${name}.${key}`);
    const fields = Object.entries(place.object.fields ?? {});
    if (fields.length > KNOWN_KEYS_MAX) throw new RangeError(`place ${name} has more than ${KNOWN_KEYS_MAX} fields`);
    const table = section.reserve(4 + fields.length * 12);
    section.u32(table, fields.length);
    fields.forEach(([key, child], i) => {
      const text = section.string(key);
      section.u32(table + 4 + i * 12, text.at);
      section.u32(table + 8 + i * 12, text.bytes);
      section.u32(table + 12 + i * 12, writePlace(section, child, join(key)));
    });
    section.u32(at + P.NODE_FIELDS, table);
    if (place.object.others) section.u32(at + P.NODE_OTHERS, writePlace(section, place.object.others, join('*')));
  }
  return at;
}

/** A node that is its own child: any JSON. One per meaning and name. */
function writeAny(section: Section, meaning: 'text' | 'local', name: string): number {
  const at = section.reserve(P.NODE_BYTES);
  section.u8(at + P.NODE_STRING, STRINGS[meaning]);
  section.u8(at + P.NODE_NUMBER, P.PLACE_PLAIN);
  section.u8(at + P.NODE_BOOL, P.PLACE_PLAIN);
  section.u8(at + P.NODE_NULL, P.PLACE_PLAIN);
  section.u8(at + P.NODE_OBJECT, P.PLACE_OBJECT);
  section.u8(at + P.NODE_ARRAY, P.PLACE_ARRAY);
  section.u8(at + P.NODE_FLAGS, P.FLAG_KEYS);
  section.u32(at + P.NODE_NAME, section.name(name));
  const none = section.reserve(4);
  section.u32(none, 0);
  section.u32(at + P.NODE_FIELDS, none);
  section.u32(at + P.NODE_OTHERS, at);
  section.u32(at + P.NODE_ELEMENT, at);
  return at;
}

function writeValues(section: Section, values: readonly string[]): number {
  const at = section.reserve(4 + values.length * 8);
  section.u32(at, values.length);
  values.forEach((value, i) => {
    const text = section.string(value);
    section.u32(at + 4 + i * 8, text.at);
    section.u32(at + 8 + i * 8, text.bytes);
  });
  return at;
}

/** Holds one copy of every string. */
class Section extends SectionBytes {
  readonly #strings = new Map<string, { readonly at: number; readonly bytes: number }>();
  readonly #names = new Map<string, number>();

  string(text: string): { readonly at: number; readonly bytes: number } {
    const known = this.#strings.get(text);
    if (known) return known;
    const encoded = new TextEncoder().encode(text);
    const entry = { at: this.reserve(encoded.length), bytes: encoded.length };
    this.put(entry.at, encoded);
    this.#strings.set(text, entry);
    return entry;
  }

  /** A string behind its length. */
  name(text: string): number {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const encoded = new TextEncoder().encode(text);
    const at = this.reserve(4 + encoded.length);
    this.u32(at, encoded.length);
    this.put(at + 4, encoded);
    this.#names.set(text, at);
    return at;
  }
}
