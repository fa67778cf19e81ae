/**
 * Offsets and codes of the decision's tables and result block, shared by the kernel (AssemblyScript) and the compiler
 * (TypeScript). Only `export const NAME = integer` stands here. All fields are u32 unless said otherwise; a `text` is
 * two u32: address, bytes; a `list` is two u32: address, count. Addresses are absolute.
 */

// ---- result block: zeroed it is a denial. Behind the head, regions whose places the site gives.
export const RESULT_OUTCOME = 0; // u8: OUTCOME_*
export const RESULT_FLAGS = 1; // u8: FLAG_*
export const RESULT_CLASSIFICATION = 2; // u8: rank + 1
export const RESULT_MODEL = 3; // u8: model's id + 1
export const RESULT_SITE = 4; // address of the site that decided; 0: the input could not be decided
export const RESULT_OUTPUT_TOKENS = 8; // i64
export const RESULT_CANDIDATES = 16; // u64: bit n is the n-th model by price
export const RESULT_HEAD_BYTES = 24;

export const OUTCOME_DENY = 0;
export const OUTCOME_ALLOW = 1;
export const OUTCOME_HOLD = 2;

export const FLAG_UNKNOWN_MODEL = 1;
export const FLAG_NO_MODEL = 2;
export const FLAG_DEFAULT = 4;
export const FLAG_BUFFER = 8;

// Redaction of a detector in the result: 0 for none, else the mode's position in T_REDACTIONS + 1; and this bit.
export const REDACT_NONE = 0;
export const REDACT_RESTORED = 128;

// ---- site: what is known of one decision (an event, of one store where it has one) before it is made. Bits in the
// result's regions count the entries of these lists.
export const SITE_EVENT = 0; // u8: EVENT_*
export const SITE_CLASSIFICATION = 2; // u16: the enum's position + 1
export const SITE_FAILED = 4; // list of text: paths of the facts that are read, sorted
export const SITE_NODES = 12; // list of text: names of what can fire, sorted
export const SITE_TOUCHES = 20; // list of TOUCH_*: what reads facts, by name
export const SITE_DENIALS = 28; // list of DENIAL_*: by rule, then message
export const SITE_REDACTIONS = 36; // list of REDACTION_*: by detector, then rule
export const SITE_TAGS = 44; // list of TAG_*: by name, then value
export const SITE_WITHHELD = 52; // list of text: rules that withhold, sorted
export const SITE_REMOVERS = 60; // list of text: in the order that reasons name them
export const SITE_RESERVES = 68; // list of text: budgets, sorted
export const SITE_PREFERENCES = 76; // most preferences that a route has
export const SITE_AT_FAILED = 80; // u64 a 64 entries
export const SITE_AT_FIRED = 84; // u64 a 64 entries
export const SITE_AT_TOUCHED = 88; // u64 a 64 entries: those that deny
export const SITE_AT_WITHHELD = 92; // u64 a 64 entries
export const SITE_AT_REMOVED = 96; // u64 a remover: candidates by price
export const SITE_AT_PREFERENCES = 100; // u64 a preference of the route that served: candidates by price
export const SITE_AT_RESERVES = 104; // i64 a budget: micro-units + 1, 0 where it does not apply
export const SITE_AT_REDACTIONS = 108; // u8 a detector of the policy
export const SITE_SAYS = 112; // list of SAY_*
export const SITE_SETS = 120; // list of SET_*: by field, then value
export const SITE_HOLDS = 128; // list of HOLD_*: by rule, then reviewers, approvals, time
export const SITE_KEEPS = 136; // list of KEEP_*: by rule, then reviewers
export const SITE_BYTES = 144;

export const TOUCH_NAME = 0; // text
export const TOUCH_READS = 8; // address of u64 words over SITE_FAILED
export const TOUCH_BYTES = 12;
export const DENIAL_NODE = 0;
export const DENIAL_RULE = 4; // text
export const DENIAL_MESSAGE = 12; // text
export const DENIAL_BYTES = 20;
export const REDACTION_DETECTOR = 0;
export const REDACTION_NODE = 4;
export const REDACTION_NAME = 8; // text: the detector
export const REDACTION_RULE = 16; // text
export const REDACTION_BYTES = 24;
export const TAG_NODE = 0;
export const TAG_NAME = 4; // text
export const TAG_VALUE = 12; // text
export const TAG_LITERAL = 20; // text: the value as JSON, as it stands in a document's metadata
export const TAG_BYTES = 28;

export const SAY_WITHHELD = 0; // position among what withholds
export const SAY_RULE = 4; // text
export const SAY_HEADER = 12; // text: the sentence as a header's value
export const SAY_LITERAL = 20; // text: the sentence as a JSON string
export const SAY_BYTES = 28;
export const HOLD_NODE = 0;
export const HOLD_APPROVALS = 4;
export const HOLD_MILLISECONDS = 8; // u64
export const HOLD_RULE = 16; // text
export const HOLD_REVIEWERS = 24; // text
export const HOLD_GROUP = 32; // text
export const HOLD_BYTES = 40;

export const KEEP_NODE = 0;
export const KEEP_RULE = 4; // text
export const KEEP_REVIEWERS = 12; // text
export const KEEP_GROUP = 20; // text
export const KEEP_MILLISECONDS = 32; // u64
export const KEEP_BYTES = 40;

export const SET_NODE = 0;
export const SET_FIELD = 4; // text
export const SET_VALUE = 12; // text: the value as JSON
export const SET_BYTES = 20;

// ---- T_FACTS
export const FACTS_RECORDS = 0; // list of FACT_*
export const FACTS_INPUT = 8; // NODE of the decision's input document
export const FACTS_CLAIMS = 12; // NODE of a token's claims
export const FACTS_NODES = 16; // number of nodes that are tracked for doubles

export const FACT_TYPE = 0; // TYPE_*
export const FACT_ABSENT = 8; // u8: ABSENT_*
export const FACT_SPLIT = 12; // text, empty where the value is not cut
export const FACT_DEFAULT = 20; // address of a slot
export const FACT_RECORD_BYTES = 24;

export const ABSENT_FAILS = 0;
export const ABSENT_UNKNOWN = 1;
export const ABSENT_ELSE = 2;

export const TYPE_KIND = 0; // u8: KIND_*
export const TYPE_SCALE = 1; // u8: decimal digits
export const TYPE_ENUM = 2; // u16: position in T_ENUMS
export const TYPE_FIELDS = 4; // address of FIELDS_*
export const TYPE_BYTES = 8;

export const KIND_BOOL = 0;
export const KIND_NUMBER = 1;
export const KIND_TEXT = 2;
export const KIND_ENUM = 3;
export const KIND_TEXT_SET = 4;
export const KIND_ENUM_SET = 5;
export const KIND_COLLECTION = 6;
export const KIND_DATE = 7;

export const FIELDS_COUNT = 0;
export const FIELDS_MOST = 4;
export const FIELDS_HEAD_BYTES = 8; // then FIELD_*
export const FIELD_TYPE = 0;
export const FIELD_NAME = 8; // text
export const FIELD_OPTIONAL = 16; // 1: it may be absent
export const FIELD_BYTES = 20;

export const NODE_COUNT = 0;
export const NODE_TRACK = 4; // number of the node among those tracked for doubles
export const NODE_HEAD_BYTES = 8; // then ENTRY_*
export const ENTRY_KEY = 0; // text
export const ENTRY_KIND = 8; // ENTRY_FACTS…
export const ENTRY_TARGET = 12; // ENTRY_FACTS: address of u32 count, u32 facts…; ENTRY_NODE: address of a node
export const ENTRY_BYTES = 16;

export const ENTRY_FACTS = 0;
export const ENTRY_NODE = 1;
export const ENTRY_EVENT = 2;
export const ENTRY_STORE = 3;
export const ENTRY_TOOL = 4;

// ---- T_ENUMS: u32 count, then a list of text each
// ---- T_MODELS
export const MODELS_RECORDS = 0; // list of MODEL_*
export const MODELS_BY_PRICE = 8; // address of u8 ids
export const MODEL_NAME = 0; // text
export const MODEL_WIRE_NAME = 8; // text
export const MODEL_PROVIDER = 16; // text
export const MODEL_INPUT_PRICE = 24; // u64: micro-units per million tokens
export const MODEL_OUTPUT_PRICE = 32; // u64
export const MODEL_MAX_OUTPUT = 40; // u64: tokens
export const MODEL_BYTES = 48;

// ---- T_STORES: list of STORE_*
export const STORE_NAME = 0; // text
export const STORE_KIND = 8; // text
export const STORE_COLLECTION = 16; // text
export const STORE_METADATA = 24; // NODE of a chunk's metadata object
export const STORE_FILTER = 28; // address of the pushed-down filter's table (compiler/tables/stores-filter.ts), 0 where there is none
/** 0, or address of: the fact of all its chunks, their fields, then for each field the chunk's own fact. */
export const STORE_CHUNKS = 32;
export const STORE_BYTES = 36;

// ---- T_TOOLS: list of TOOL_*
export const TOOL_NAME = 0; // text
export const TOOL_PATTERN = 8; // text: the name on the wire, or how it begins
export const TOOL_IS_PREFIX = 16;
export const TOOL_ARGUMENTS = 20; // NODE of the arguments' object
export const TOOL_BYTES = 24;

// ---- T_RULES: list of addresses of sites
// ---- T_BUDGETS: list of BUDGET_*, in the order of the prompt's budgets
export const BUDGET_NAME = 0; // text
export const BUDGET_MESSAGE = 8; // text
export const BUDGET_TIME_ZONE = 16; // text
export const BUDGET_LIMIT = 24; // u64: micro-units
export const BUDGET_HEADROOM = 32; // position of the fact
export const BUDGET_SPENT = 36; // position of the fact
export const BUDGET_PERIOD = 40; // PERIOD_*
export const BUDGET_EACH = 44; // position of the fact whose values have accounts of their own, + 1; 0: one account
export const BUDGET_SALT = 48; // text: stands before the value in what is hashed
export const BUDGET_COUNTS = 56; // COUNTS_*
export const BUDGET_BYTES = 64;

export const COUNTS_MONEY = 0; // micro-units
export const COUNTS_REQUESTS = 1;
export const COUNTS_TOKENS = 2;

export const PERIOD_HOUR = 0;
export const PERIOD_DAY = 1;
export const PERIOD_WEEK = 2;
export const PERIOD_MONTH = 3;
export const PERIOD_QUARTER = 4;
export const PERIOD_YEAR = 5;
export const PERIOD_MINUTE = 6;

// ---- T_REDACTIONS: list of MODE_*, the modes of redaction, weakest first
export const REDACT_WHOLE = 127; // of no policy's: all of a value is masked, for whoever reviews
export const MODE_KIND = 0; // REDACT_*
export const MODE_KEEPS = 4; // REDACT_MASK: letters and digits that are kept
export const MODE_NAME = 8; // text: as decisions write it
export const MODE_FACT = 16; // REDACT_PSEUDONYM: position of the fact within whose values it is stable
export const MODE_STAYS = 20; // and 1 where the fact has one value in an exchange
export const MODE_PREFIX = 24; // text: what is hashed first
export const MODE_BYTES = 32;

// ---- T_IDENTITIES: list of IDENTITY_*, by hash
export const IDENTITY_HASH = 0; // 32 bytes: SHA-256 of the API key or of the certificate's SAN
export const IDENTITY_CLAIMS = 32; // text: a JSON object
export const IDENTITY_BYTES = 40;
