/** Who is told, and where; what is said to them is that something happened, and how often: nothing of an exchange. */

/** A recipient of the policy, and the name of their webhook. Its address is the control plane's to know. */
export interface Notified {
  readonly recipient: string;
  readonly webhook: string;
}

export interface NotifiedAt extends Notified {
  /** 1 to 100, ascending. */
  readonly percent: number;
}

/** A rule: who is told, after the decision and on no request's way, that it has fired. Nobody where absent. */
export interface Telling {
  readonly notify?: readonly Notified[];
}

/** A budget: who is told, once a window, when so much is spent as the ledger has it. No decision reads it. */
export interface TellingAt {
  readonly notify?: readonly NotifiedAt[];
}
