/**
 * What a value at a place of a protocol means to the kernel: numbers shared by the protocol tables' writer (TypeScript)
 * and the kernel (AssemblyScript). Only `export const NAME = integer` stands here.
 */

// Leaves. A record is made for each but PLAIN and VECTOR.
export const PLACE_DENY = 0;
export const PLACE_PLAIN = 1;
/** A number that is never read as text: embeddings, distances, scores. */
export const PLACE_VECTOR = 2;
/** Text that is a lane of its own. In a streamed reply: the next piece of the lane (choice, field, tool call). */
export const PLACE_TEXT = 3;
/** Text that joins the lane of the part before it in the same message. */
export const PLACE_PART = 4;
/** JSON in a string: the arguments of a tool call. */
export const PLACE_ARGUMENTS = 5;
/** Text that is complete in itself, also in a stream. */
export const PLACE_LOCAL = 6;
export const PLACE_ENUM = 7;
export const PLACE_MODEL = 8;
export const PLACE_STREAM = 9;
export const PLACE_OUTPUT_LIMIT = 10;
export const PLACE_CHOICES = 11;
export const PLACE_INCLUDE_USAGE = 12;
export const PLACE_ROLE = 13;
export const PLACE_CHOICE_INDEX = 14;
export const PLACE_TOOL_INDEX = 15;
export const PLACE_FINISH = 16;
export const PLACE_USAGE_INPUT = 17;
export const PLACE_USAGE_OUTPUT = 18;
/** The name of a typed event in a stream. */
export const PLACE_EVENT_TYPE = 19;
export const PLACE_LIMIT = 20;
export const PLACE_CHUNK_ID = 21;
export const PLACE_CHUNK_TEXT = 22;
export const PLACE_INCLUDE = 23;
export const PLACE_COLLECTION_ID = 24;
export const PLACE_COLLECTION_NAME = 25;
/** A value that only has a position: one cell of a column. */
export const PLACE_CELL = 26;
/** A null where a value of ours may have to stand. */
export const PLACE_EMPTY = 27;
/** Results that are passed over. */
export const PLACE_OFFSET = 28;
/** The name of the tool that a reply calls: text that is complete in itself. */
export const PLACE_TOOL_NAME = 29;

// Leaves that the walker finds by itself.
/** A key of an object whose keys are free. */
export const PLACE_KEY = 60;
/** A number with so many digits that it can carry an identifier. */
export const PLACE_NUMBER = 61;

// Containers. A record is made for those above ARRAY; it spans the records inside.
export const PLACE_OBJECT = 64;
export const PLACE_ARRAY = 65;
export const PLACE_MESSAGE = 66;
export const PLACE_CHOICE = 67;
export const PLACE_CHOICE_LIST = 68;
export const PLACE_TOOL = 69;
export const PLACE_TOOL_CALL = 70;
export const PLACE_STREAM_OPTIONS = 71;
export const PLACE_USAGE = 72;
export const PLACE_WHERE = 73;
/** One array of a set of parallel ones; in a nested reply (one row a query), the outer one. */
export const PLACE_COLUMN = 74;
/** One query's part of a nested column. */
export const PLACE_ROW = 75;
export const PLACE_METADATA = 76;
export const PLACE_INCLUDE_LIST = 77;
/** One embedding: an array of numbers in a column. */
export const PLACE_VECTOR_CELL = 78;
/** A filter on the chunks' text. */
export const PLACE_WHERE_TEXT = 79;
/** The list of a reply's calls, and the arguments of a call that stand as JSON of the reply's own. */
export const PLACE_TOOL_CALLS = 80;
export const PLACE_TOOL_INPUT = 81;

// A node of the table.
export const NODE_STRING = 0;
export const NODE_NUMBER = 1;
export const NODE_BOOL = 2;
export const NODE_NULL = 3;
export const NODE_OBJECT = 4;
export const NODE_ARRAY = 5;
export const NODE_FLAGS = 6;
/** Which lane of a choice, or which column. */
export const NODE_LANE = 7;
/** u32s, offsets into the section; 0 is none. Fields: count, then (name offset, name bytes, node) each. */
export const NODE_FIELDS = 8;
/** The node of a key that is not in `fields`. */
export const NODE_OTHERS = 12;
export const NODE_ELEMENT = 16;
/** The place's name for people: u32 bytes, then the text. */
export const NODE_NAME = 20;
/** Values of an enum: count, then (offset, bytes) each. */
export const NODE_VALUES = 24;
export const NODE_BYTES = 28;

/** Keys of this object are text, too. */
export const FLAG_KEYS = 1;
/** A string that is none of `values` is denied; without the flag it is read as text. */
export const FLAG_CLOSED = 2;

// The section: count of endpoints, the node that any JSON of an upstream is read by, then the endpoints.
export const SECTION_ANY = 4;
export const ENDPOINTS = 8;
export const ENDPOINT_METHOD = 0;
export const ENDPOINT_EVENT = 1;
export const ENDPOINT_FORM = 2;
export const ENDPOINT_FLAGS = 3;
export const ENDPOINT_PATH = 4;
export const ENDPOINT_PATH_BYTES = 8;
export const ENDPOINT_REQUEST = 12;
export const ENDPOINT_REPLY = 16;
export const ENDPOINT_STREAM = 20;
export const ENDPOINT_NAME = 24;
export const ENDPOINT_NAME_BYTES = 28;
/** Tokens that the model's template adds: once, and for each message. */
export const ENDPOINT_OVERHEAD = 32;
export const ENDPOINT_OVERHEAD_MESSAGE = 36;
/** A node whose fields are those of the request that a rule may set; 0: none. */
export const ENDPOINT_SETTABLE = 40;
export const ENDPOINT_BYTES = 44;

export const METHOD_GET = 0;
export const METHOD_POST = 1;
export const METHOD_PUT = 2;
export const METHOD_DELETE = 3;

// What an endpoint's exchange is governed by.
export const ENDPOINT_PASS = 0;
export const ENDPOINT_PROMPT = 1;
export const ENDPOINT_RETRIEVAL = 2;
export const ENDPOINT_INGEST = 3;

/** The reply has one row of chunks a query. */
export const FLAG_ROWS = 1;
/** The path's `{collection}` is a name, not an id. */
export const FLAG_BY_NAME = 2;
/** The reply has no generated text: nothing is to be limited, and no output is reserved. */
export const FLAG_NO_OUTPUT = 4;
/** Streamed replies give usage only on request (`stream_options`). */
export const FLAG_ASK_USAGE = 8;
/** The body has a field for the most tokens of the reply, by this name; it is added where the client gave none. */
export const FLAG_LIMIT_MAX_TOKENS = 16;
/** A write to a document that is there keeps what it does not name of its metadata; null takes a value away. */
export const FLAG_KEEPS = 32;

// In whose form errors are given.
export const FORM_GENERIC = 0;
export const FORM_OPENAI = 1;
export const FORM_ANTHROPIC = 2;
export const FORM_CHROMA = 3;

// Lanes of a choice, by field.
export const LANE_CONTENT = 1;
export const LANE_REFUSAL = 2;
export const LANE_REASONING = 3;
export const LANE_ARGUMENTS = 4;
export const LANE_OTHER = 5;

// Columns of a store's answer.
export const COLUMN_IDS = 1;
export const COLUMN_DOCUMENTS = 2;
export const COLUMN_METADATAS = 3;
export const COLUMN_DISTANCES = 4;
export const COLUMN_EMBEDDINGS = 5;
export const COLUMN_URIS = 6;
