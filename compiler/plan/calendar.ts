/** The plan's calendar: what clocks show, and hours of the week. */

/**
 * What clocks show: from `from` (milliseconds since 1970 UTC) on, `minutes` more than UTC. Ascending; before the first
 * of them the first holds, so that every instant has one.
 */
export interface Zone {
  readonly name: string;
  readonly offsets: readonly { readonly from: number; readonly minutes: number }[];
}

/** Spans of the week, in minutes since Monday 00:00 of what the clocks of a zone show. */
export interface Hours {
  readonly name: string;
  /** Position in `Plan.zones`. */
  readonly zone: number;
  /** Ascending, apart from each other; `end` is exclusive and at most a week. */
  readonly spans: readonly { readonly start: number; readonly end: number }[];
}
