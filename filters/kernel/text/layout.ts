/**
 * The section T_DETECTORS, as compiler/text writes it and the scanner reads it. The file is read by both compilers:
 * only `export const NAME = integer` stands here. All offsets are in bytes from the section's start, all numbers
 * little-endian; the section starts at a multiple of 16.
 */

// Header.
export const H_DETECTORS = 0;
export const H_GROUPS = 4;
export const H_FORMS_AT = 8;
export const H_GROUPS_AT = 12;
/** Folded bytes before the hold that boundaries and contexts may still read. */
export const H_LOOK_BEHIND = 16;
export const H_FOLDS = 20;
export const H_FOLDS_AT = 24;
/** One bit a block of 256 code points: whether any of them folds. */
export const H_FOLD_BLOCKS_AT = 28;
/** Folded bytes before a start in which a context word that is its anchor may stand. */
export const H_NEAR_BEHIND = 32;
/** For each bucket of the prefilter a list of anchors, a u32 count and then its anchors. */
export const H_BUCKETS = 36;
/** A list as a bucket's: the anchors at which matches of the groups of KIND_RUN begin. */
export const H_RUNS = 104;
/** Whether any of the last eight buckets has an anchor. */
export const H_WIDE = 108;
/**
 * Twice eight tables of 16 bytes: for the four bytes at an anchor, which of the first and which of the last eight
 * buckets admit their low and their high half.
 */
export const H_PREFILTER = 112;
export const PREFILTER_BYTES = 128;
/**
 * Two tables of 16 bytes: the characters of tokens, exactly. For a byte's low half a bit for each high half with which
 * it is one; for a high half that bit.
 */
export const H_TOKENS = 368;
/** No character of tokens is less. */
export const TOKEN_LEAST = 0x2b;
/** For each first byte of three, 0xe0 to 0xef, a bit: whether any of its characters folds. */
export const H_FOLD_LEADS = 400;
/** Glances: a u32 count, then the place of each. */
export const H_GLANCES_AT = 404;
/**
 * Four tables of 16 bytes: for two bytes in a row of each bucket's anchors, those that rule out most, which buckets
 * admit their low and their high half. Buckets that are eight apart share a bit.
 */
export const H_PAIRS = 416;
export const HEADER_BYTES = 480;
export const BUCKETS = 16;
/** As many are looked up together. */
export const BUCKETS_NARROW = 8;
/** Groups that begin with a digit that no letter, digit or `_` precedes: of a run only the first is looked at. */
export const BUCKET_DIGITS = 0;

// A form: one pattern of a detector with its boundaries, validator and context.
export const FORM_DETECTOR = 0;
export const FORM_VALIDATOR = 1;
export const FORM_WHERE = 2;
export const FORM_WITHIN = 4;
export const FORM_WORDS_AT = 8;
/** Folded bytes of the longest match. */
export const FORM_LONGEST = 12;
export const FORM_BYTES = 16;

// A group: forms that are found together. u32 masks have a bit a form, the first form of the group at bit 0.
export const GROUP_KIND = 0;
export const GROUP_FORMS = 1;
export const GROUP_FIRST_FORM = 2;
export const GROUP_FORWARD_AT = 4;
export const GROUP_BACKWARD_AT = 8;
export const GROUP_TAIL_AT = 12;
/** Bytes that the forward and the backward automaton read at most. */
export const GROUP_FORWARD_MOST = 16;
export const GROUP_BACKWARD_MOST = 20;
/** Seven masks each: forms whose boundary is of that kind. */
export const GROUP_BEFORE = 24;
export const GROUP_AFTER = 52;
/** Forms whose every accepted end matters, not only the last: those with a validator, or a context behind the match. */
export const GROUP_ALL_ENDS = 80;
export const GROUP_CONTEXT_BEFORE = 84;
/** Characters that the widest context of the group looks back. */
export const GROUP_WITHIN_MOST = 88;
/** Forms whose validator refuses most matches by the digits alone, wherever they end; no digit may follow them. */
export const GROUP_HEADS = 92;
export const GROUP_BYTES = 96;

/**
 * A glance: tables for the groups of BUCKET_DIGITS, as many as have room in 64 bits, a form each. For each group a word:
 * u16 its number, u8 its first form's bit, u8 its forms. Sets of forms are u64, the first all forms, and in the other
 * tables u8 numbers of them: for each first digit and each second (the last for none); for each class of the first byte
 * that is no digit and each class of the byte behind it; for each pattern of digits and each class of that first byte.
 */
export const GLANCE_GROUPS = 0;
export const GLANCE_GROUPS_AT = 4;
/** Classes of bytes: the cells of a row. */
export const GLANCE_CLASSES = 8;
export const GLANCE_CLASSES_AT = 12;
export const GLANCE_HEADS_AT = 16;
export const GLANCE_SIGNS_AT = 20;
export const GLANCE_ROWS_AT = 24;
export const GLANCE_SETS_AT = 28;

/** Bytes behind a number's first digit of which a pattern of digits tells. */
export const SHAPE_DIGITS = 5;
export const SHAPE_SETS_MAX = 256;
export const SHAPE_SECONDS = 11;

/** A match begins at the anchor. */
export const KIND_PREFIX = 0;
/** The anchor is one byte inside the match: a backward automaton finds the starts, a forward automaton the ends. */
export const KIND_PIVOT = 1;
/** As PREFIX, with a bitset automaton in place of the forward one. One form. */
export const KIND_BITSET = 2;
/** The anchor lies in a context word that must stand before the match; all forms have the same words. */
export const KIND_NEAR = 3;
/** A match begins with RUN_LEAST characters of tokens or more: what is noticed is so many in a row. */
export const KIND_RUN = 4;
export const RUN_LEAST = 15;

// An anchor, four bytes in a row: u16 group; how many bytes before it the context word begins, u8 at least, u8 at most;
// what the four bytes are under a mask; and for each that the mask does not settle the place of a set, a bit a byte (0:
// settled).
export const ANCHOR_GROUP = 0;
export const ANCHOR_BACK = 2;
export const ANCHOR_MASK = 4;
export const ANCHOR_VALUE = 8;
export const ANCHOR_SETS = 12;
export const ANCHOR_BYTES = 28;

// A deterministic automaton. A row for each state: the next state for each class of bytes; a cell is a u8 where the
// states are few enough, else a u16. State 0 is dead: it leads to itself.
export const DFA_CLASSES_AT = 0;
export const DFA_ROWS_AT = 4;
/** For each state the number of its info, cells as in the rows. */
export const DFA_INFO_NUMBERS_AT = 8;
/** Pairs of u32: forms that accept here, forms that may accept after one more byte. */
export const DFA_INFOS_AT = 12;
export const DFA_START = 16;
/** Classes of bytes: the cells of a row. */
export const DFA_CLASSES = 18;
/** States from this one on accept. */
export const DFA_FIRST_ACCEPT = 20;
/** Whether cells are u16. */
export const DFA_WIDE = 22;
export const DFA_BYTES = 24;
/** States of an automaton with cells of one byte. */
export const DFA_NARROW_STATES_MAX = 256;

// A bitset automaton: positions of the pattern, 128 bits a set.
export const BITSET_CLASSES_AT = 0;
/** For each class of bytes the positions that read it. */
export const BITSET_READS_AT = 4;
/** For each position those that may follow it. */
export const BITSET_FOLLOW_AT = 8;
export const BITSET_FIRST = 16;
export const BITSET_LAST = 32;
export const BITSET_BYTES = 48;
export const BITSET_POSITIONS_MAX = 128;

// Boundaries: what must not touch a match.
export const BOUNDARY_NONE = 0;
export const BOUNDARY_DIGIT = 1;
export const BOUNDARY_WORD = 2;
export const BOUNDARY_NUMBER = 3;
export const BOUNDARY_SERIAL = 4;
export const BOUNDARY_ADDRESS = 5;
export const BOUNDARY_LIST = 6;
export const BOUNDARIES = 7;
/** Blanks, tabs and line ends over which a further number of a list is looked for. */
export const LIST_GAP_MAX = 4;

export const WHERE_NOWHERE = 0;
export const WHERE_BEFORE = 1;
export const WHERE_AFTER = 2;
export const WHERE_AROUND = 3;

export const VALIDATOR_NONE = 0;
export const VALIDATOR_PAYMENT_CARD = 1;
export const VALIDATOR_IBAN = 2;
export const VALIDATOR_US_SSN = 3;
export const VALIDATOR_IPV4 = 4;
export const VALIDATOR_IPV6 = 5;
export const VALIDATOR_PHONE = 6;
export const VALIDATOR_PHONE_NATIONAL = 7;
export const VALIDATOR_EMAIL = 8;
export const VALIDATOR_DATE = 9;
export const VALIDATOR_ENTROPY = 10;

// Context words: u16 count, u16 unused, u32 first letters (bit 0 `a` … bit 25 `z`, bit 26 anything else), then each: u8
// bytes, the bytes in lower case with one space for each separator.
export const WORDS_COUNT = 0;
export const WORDS_FIRST = 4;
export const WORDS_AT = 8;

// A fold: u32 first code point, u32 last code point with the kind in the top byte, u32 what the first becomes. Sorted
// by code point, disjoint.
export const FOLD_BYTES = 12;
export const FOLD_DROP = 0;
/** Every code point of the range becomes the same character. */
export const FOLD_SAME = 1;
/** The range maps to a range. */
export const FOLD_SHIFT = 2;

// Limits.
export const FORMS_IN_GROUP_MAX = 32;
export const GROUPS_MAX = 256;
export const DETECTORS_MAX = 128;
/** Bytes of a match of a form whose every end matters. */
export const ENDS_MAX = 512;
/** Bytes of any match. */
export const LONGEST_MAX = 8192;
/** Characters in which a context word may stand. */
export const WITHIN_MAX = 256;
