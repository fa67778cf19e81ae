/**
 * A store's table: what of its policy can be asked of the store itself, and which versions are current. Written by
 * compiler/tables/stores-filter.ts, read by retrieval/push-down.ts and retrieval/newest.ts. All offsets count from the
 * table's start. Only `export const NAME = integer` stands here.
 */

// Head.
/** Rules that keep the newest version only: count, offset of the first. */
export const FILTER_KEEPS = 0;
/** Conditions that every chunk which may pass meets: count, offset of a list of nodes' offsets. */
export const FILTER_CLAUSES = 8;
/** 1 where some rule reads the chunk's metadata. */
export const FILTER_READS = 16;
/** 1 where some rule reads or redacts the chunk's text. */
export const FILTER_TEXT = 20;
/** Keys of metadata that the policy declares: count, offset of (offset, bytes) each. */
export const FILTER_KEYS = 24;
/**
 * 1 where the store is not asked for everything that the policy says of chunks: it may then answer with some that are
 * taken out afterwards.
 */
export const FILTER_LOOSE = 32;
export const FILTER_HEAD_BYTES = 36;

export const KEEP_RULE = 0; // offset, bytes
export const KEEP_VERSION = 8; // position of the fact
export const KEEP_KEY = 12; // position of the fact
export const KEEP_METADATA = 16; // offset, bytes of the key's name in the metadata
export const KEEP_BYTES = 24;

// A node: u32 kind, then fields of u32.
export const NODE_KIND = 0;
/** count, offset of a list of nodes' offsets */
export const CLAUSE_AND = 1;
export const CLAUSE_OR = 2;
/** The metadata's list holds a member of the caller's set: key offset, key bytes, fact. */
export const CLAUSE_OVERLAPS = 3;
/** The metadata's list holds this JSON: key, literal. */
export const CLAUSE_CONTAINS = 4;
/** The metadata is this JSON: key, operator (offset, bytes), literal. */
export const CLAUSE_CONSTANT = 5;
/** The metadata is the caller's text or member: key, fact. */
export const CLAUSE_FACT = 6;
/**
 * The metadata is one of an ordered enum's members: key, comparison, fact or NO_FACT, rank of a constant, members
 * (count, offset of texts), rank of what an absent value is + 1.
 */
export const CLAUSE_RANKS = 7;

/** Where the decision on the request fired none of some names: count, offset of (offset, bytes) each, offset of the node. */
export const CLAUSE_UNLESS_FIRED = 8;

export const NO_FACT = 0xffffffff;
export const COMPARE_EQ = 0;
export const COMPARE_LT = 1;
export const COMPARE_LE = 2;
export const COMPARE_GT = 3;
export const COMPARE_GE = 4;
