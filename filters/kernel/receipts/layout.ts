/** T_RECEIPTS: what receipts of this policy are made of. Written by compiler/tables/receipts.ts. */

/** Bytes (address, count) that every receipt is signed over first: what it is, and the policy. */
export const RECEIPTS_PREFIX = 0;
/** The enum of the classes, and the ordinal of the base. */
export const RECEIPTS_ENUM = 8;
export const RECEIPTS_BASE = 12;
/** List, by store, of lists (address, count) of u32 facts: those of its chunks that are classes. */
export const RECEIPTS_STORES = 16;
export const RECEIPTS_BYTES = 24;
