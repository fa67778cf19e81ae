/**
 * Lists and switches in the kernel: what the policy asks of them (T_FEEDS), and the image in which a host hands one
 * over. Only `export const NAME = integer` stands here. Fields are u32 unless said otherwise.
 */

// ---- T_FEEDS; 0 where the policy has neither lists nor switches
export const FEEDS_USES = 0; // list of USE_*: the plan's lists, then its switches
export const FEEDS_FACTS = 8; // list of ASK_*
export const FEEDS_BYTES = 16;

export const USE_KIND = 0; // FEED_LIST, FEED_SWITCH
export const USE_NAME = 4; // text: the list's feed, the switch's name
export const USE_ELEMENT = 12; // text: the type of a list's values
export const USE_MAX_AGE = 24; // u64: milliseconds
export const USE_MOST = 32; // entries
export const USE_BYTES = 40;

export const FEED_LIST = 0;
export const FEED_SWITCH = 1;

export const ASK_FACT = 0; // position of the bool fact
export const ASK_USE = 4; // position among the uses
export const ASK_OF = 8; // OF_*
export const ASK_OPERAND = 12; // OF_FACT, OF_DAY: position of the fact
export const ASK_VALUE = 16; // OF_VALUE: text, the value as it is hashed
export const ASK_OFFSETS = 24; // OF_DAY: address of pairs of i64 (from, minutes), and how many
export const ASK_STORE = 32; // position of the store whose chunk's fact it is, NO_STORE for others
export const ASK_BYTES = 40;

export const OF_FACT = 0;
export const OF_VALUE = 1;
export const OF_DAY = 2;
export const OF_SWITCH = 3;
export const NO_STORE = -1;

// ---- the image of a feed: the head, its name, its element, then the entries
export const IMAGE_KIND = 0; // FEED_LIST, FEED_SWITCH
export const IMAGE_STATE = 4; // IMAGE_GOOD, IMAGE_BROKEN
export const IMAGE_SEQUENCE = 8; // u64
export const IMAGE_ISSUED = 16; // i64: milliseconds since 1970 UTC
export const IMAGE_UNTIL = 24; // i64: a switch is on before it
export const IMAGE_COUNT = 32; // entries
export const IMAGE_NAME_BYTES = 36;
export const IMAGE_ELEMENT_BYTES = 40;
export const IMAGE_SALT = 48; // SALT_BYTES
export const IMAGE_HEAD_BYTES = 64;

export const IMAGE_GOOD = 0;
export const IMAGE_BROKEN = 1; // the policy has it, and what came of it cannot be trusted

export const SALT_BYTES = 16;
// The first bytes of SHA-256(salt, value); entries are sorted by them, and there are no doubles.
export const ENTRY_BYTES = 16;
// A longer value is in no list.
export const VALUE_BYTES_MAX = 1024;
