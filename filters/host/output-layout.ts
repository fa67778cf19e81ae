/**
 * Where a session's output holds what: the mirror of filters/kernel/session/output.ts. Offsets in bytes; all fields are
 * u32 unless said otherwise; a run is an address and its bytes.
 */
export const OUTPUT_SET = 0;
export const OUTPUT_REMOVE = 8;
export const OUTPUT_BODY_MODE = 16;
export const OUTPUT_BODY = 20;
export const OUTPUT_STATUS = 28;
export const OUTPUT_REPLY_HEADERS = 32;
export const OUTPUT_REPLY_BODY = 40;
export const OUTPUT_ROUTE = 52;
export const OUTPUT_BUDGETS = 60;
export const OUTPUT_RESERVES = 68;
export const OUTPUT_CALL_STORE = 76;
export const OUTPUT_CALL_METHOD = 80;
export const OUTPUT_CALL_PATH = 88;
export const OUTPUT_CALL_BODY = 96;
export const OUTPUT_SETTLED = 104;
export const OUTPUT_USAGE_KNOWN = 108;
/** i64 */
export const OUTPUT_COST = 112;
export const OUTPUT_RECORDS = 120;
export const OUTPUT_REVIEW = 148;
export const OUTPUT_ACCOUNTS = 156;
export const OUTPUT_KEPT = 164;

/** `bodyMode`: the host sends `body` in the place of what it holds. */
export const BODY_REPLACED = 1;
