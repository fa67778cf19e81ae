/** What comes by signed feeds, beside the bundle: lists and switches, and the facts that say what is in them. */

/** Values of which only can be asked whether one is among them. */
export interface ListUse {
  readonly name: string;
  /** The type of its values as feeds write it: `text`, `date`, `bool`, `enum NAME`, or `number SCALE UNIT`. */
  readonly element: string;
  /** The name of the feed; lists may share one. */
  readonly feed: string;
  /** Once it was signed longer ago than this, it has failed. */
  readonly maxAgeMs: number;
  /** A feed with more entries is refused. */
  readonly most: number;
}

/** A signed boolean: off until it was switched, and again when its time is over. */
export interface SwitchUse {
  readonly name: string;
  readonly title: string;
  /** Who switches it: a signer of the deployment. */
  readonly by: string;
  /** The longest that it may be on; null: until it is switched off. */
  readonly maxMs: number | null;
}

export type FeedSource =
  /**
   * Whether a value is in a list, by the list's position in `Plan.lists`: a bool. Unknown where the value is; failed
   * where the value has failed, and where the list was never heard of, is older than its most, or of another type.
   */
  | { readonly kind: 'list'; readonly list: number; readonly of: ListOperand }
  /** Whether a switch is on, by its position in `Plan.switches`. One that was never heard of has failed it. */
  | { readonly kind: 'switch'; readonly switch: number };

/** What is looked up in a list. Facts are named by their position in `Plan.facts`. */
export type ListOperand =
  /** The value of a fact of the list's type. */
  | { readonly kind: 'fact'; readonly fact: number }
  /** A value that is the same in every event, such as an attribute of a model; in canonical form. */
  | { readonly kind: 'value'; readonly value: boolean | number | string | readonly string[] }
  /** The day on which the time (a fact) falls, as the clocks of a zone (its position in `Plan.zones`) show it. */
  | { readonly kind: 'day'; readonly fact: number; readonly zone: number };
