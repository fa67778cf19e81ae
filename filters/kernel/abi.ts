/**
 * Numbers that the kernel (AssemblyScript) and its hosts, linker and tables (TypeScript) share. The file is read by
 * both compilers: only `export const NAME = integer` stands here.
 *
 * A host drives one session a HTTP exchange. It writes bytes into memory from `writ_alloc`, calls one of the
 * `session_*` exports, and gets an ACTION: CONTINUE forwards what the session's output says; HOLD forwards nothing and
 * waits for more; REPLY answers the client with the session's local reply and forwards nothing more; LEVELS asks for
 * the budgets' levels (answer with `session_levels`, which returns the next action); CALL asks for one HTTP call to a
 * store (answer with `session_call_response`); REVIEW asks the queue of reviews (answer with `session_review`); RECORD asks for the record of an exchange to be kept before
 * it goes on (answer with `session_recorded`). The session never calls out, never reads a clock, never traps.
 */

// What a session_* export returns.
export const ACTION_CONTINUE = 0;
export const ACTION_HOLD = 1;
export const ACTION_REPLY = 2;
export const ACTION_LEVELS = 3;
export const ACTION_CALL = 4;
export const ACTION_REVIEW = 5;
export const ACTION_RECORD = 6;

// What the queue of reviews said (`session_review`); `writ.v1.Ruling.State` has the same numbers.
export const REVIEW_UNREACHABLE = 0;
export const REVIEW_APPROVED = 1;
export const REVIEW_PENDING = 2;
export const REVIEW_REJECTED = 3;
export const REVIEW_EXPIRED = 4;
export const REVIEW_USED = 5;
export const REVIEW_UNKNOWN = 6;
export const REVIEW_CALLER_FULL = 7;
export const REVIEW_QUEUE_FULL = 8;

// What a budget that is too short for a request still has, as the host knows it (`session_refuse_spend`).
export const BUDGET_NOTHING_LEFT = 0;
export const BUDGET_SHORT = 1;
export const BUDGET_UNREADABLE = 2;

// What the host knows of a budget's level; of a part: there may be more, but nobody can be asked for it now.
export const LEVEL_UNKNOWN = 0;
export const LEVEL_WHOLE = 1;
export const LEVEL_PART = 2;

// The state of a fact's slot. Zeroed memory is a failed fact.
export const FACT_FAILED = 0;
export const FACT_KNOWN = 1;
export const FACT_UNKNOWN = 2;

// A fact's slot: u8 state at 0; u32 aux at 4; i64 value at 8; i64 value2 at 16.
// bool: value 0/1. number, time: value, scaled. date: value = days since 1970-01-01. enum: value = ordinal.
// text: value = address (u32), aux = bytes.
// text_set: value = address of aux pairs (u32 address, u32 bytes). enum_set: bits 0..63 in value, 64..127 in value2.
// collection: value = address of aux elements; an element is one slot a field, in order.
export const SLOT_BYTES = 24;
export const SLOT_STATE = 0;
export const SLOT_AUX = 4;
export const SLOT_VALUE = 8;
export const SLOT_VALUE2 = 16;

// Built-in facts that the kernel sets, by number; the table `T_BUILTIN_SLOTS` maps each to the policy's slot, or
// NO_SLOT where no rule reads it.
export const NO_SLOT = 65535;
export const FACT_PROMPT_REQUESTED_MODEL = 0;
export const FACT_PROMPT_INPUT_TOKENS_BOUND = 1;
export const FACT_PROMPT_TOKENS_ESTIMATE = 2;
export const FACT_PROMPT_OUTPUT_TOKENS = 3;
export const FACT_PROMPT_CHOICES = 4;
export const FACT_PROMPT_COMPLEXITY = 5;
export const FACT_PROMPT_BYTES = 6;
export const FACT_PROMPT_STREAM = 7;
export const FACT_PROMPT_TOOLS = 8;
export const FACT_PROMPT_MESSAGES = 9;
export const FACT_PROMPT_CLASSIFICATION = 10;
export const FACT_MODEL_CHOSEN = 11;
export const FACT_TEXT_FOUND = 12;
export const FACT_TEXT_FOUND_RESTORED = 13;
export const FACT_COMPLETION_TOKENS = 14;
export const FACT_COMPLETION_FINISH_REASON = 15;
export const FACT_RETRIEVAL_LIMIT = 16;
export const FACT_NOW = 17;
export const FACT_COMPLETION_TOOL_CALLS = 18;
export const FACT_EGRESS_HOST = 19;
export const FACT_EXCHANGE_DRAW = 20;
export const FACT_CALL_NAME = 21;
export const FACT_PROMPT_RECEIPTS = 22;
export const FACT_COMPLETION_CLASSIFICATION = 23;
export const BUILTIN_FACTS = 24;

// Events, as `decide` takes them. Retrieval, chunk and ingest take the store's position in the policy as a second
// number, a tool call the tool's (the number of tools: it is of none).
export const EVENT_PROMPT = 0;
export const EVENT_COMPLETION = 1;
export const EVENT_RETRIEVAL = 2;
export const EVENT_CHUNK = 3;
export const EVENT_INGEST = 4;
export const EVENT_EGRESS = 5;
export const EVENT_TOOL_CALL = 6;
export const EVENT_EXCHANGE = 7;

// What a mode of redaction puts in a value's place (`T_REDACTIONS`).
export const REDACT_PLACEHOLDER = 1;
export const REDACT_PSEUDONYM = 2;
export const REDACT_YEAR = 3;
export const REDACT_MASK = 4;
export const REDACT_REMOVE = 5;

// Sections of the table directory (an array of u32 addresses at `policy.tables()`). Each section's layout stands at its
// writer in compiler/tables/.
export const T_BUILTIN_SLOTS = 0;
export const T_FACTS = 1;
export const T_ENUMS = 2;
export const T_MODELS = 3;
export const T_STORES = 4;
export const T_RULES = 5;
export const T_BUDGETS = 6;
export const T_DETECTORS = 7;
export const T_PROTOCOLS = 8;
export const T_IDENTITIES = 9;
export const T_REDACTIONS = 10;
// Text: SHA-256 (hex) of the policy's source. 0 where no rule holds anything for review.
export const T_REVIEW = 11;
export const T_FEEDS = 12;
// u32: of a million exchanges, of how many a rule may keep something once the prompt is decided. 0 where no rule
// keeps anything.
export const T_KEEP = 13;
// 0 where no call of a tool is decided.
export const T_TOOLS = 14;
// RECEIPTS_* (receipts/layout.ts). 0 where the policy gives none.
export const T_RECEIPTS = 15;
// Address of the site of exchanges. 0 where no rule is about them.
export const T_EXCHANGE = 16;
export const TABLE_SECTIONS = 17;
