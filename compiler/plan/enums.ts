/** The plan's enums, and those that the compiler makes itself. */

export interface EnumType {
  readonly name: string;
  readonly ordered: boolean;
  /** In declared order; the position is the ordinal, and for an ordered enum its rank. */
  readonly members: readonly string[];
}

/**
 * Enums that the compiler makes itself: the policy's detectors (sorted by name), its models (sorted by name), message
 * roles.
 */
export const DETECTOR_ENUM = 'writ.detector';
export const MODEL_ENUM = 'writ.model';
export const ROLE_ENUM = 'writ.role';
