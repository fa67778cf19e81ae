/** How much a plan and a decision's input may hold. */

/** Sets longer than this have failed. */
export const SET_MEMBERS_MAX = 256;
/** Enums (detectors of a policy included) have at most this many members. */
export const ENUM_MEMBERS_MAX = 128;
export const MODELS_MAX = 64;
/** Of one event. */
export const RULES_MAX = 4_096;
