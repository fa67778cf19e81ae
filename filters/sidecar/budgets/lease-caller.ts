// What the sidecar's accounts ask of the control plane, in plain numbers: the contract between `BudgetAccounts` and
// whoever carries its calls. `grpc-lease-caller.ts` carries them over gRPC; the simulation of test/leases carries them
// over a bad network.

/** Micro-units of the policy's currency: safe integers, never negative. */
export type Micros = number;

export interface LeaseNeed {
  readonly budget: string;
  /** What waiting requests lack; 0 asks for a share in advance. */
  readonly micros: Micros;
}

export interface LeaseSpent {
  readonly lease: number;
  /** Since the lease was first granted. */
  readonly total: Micros;
}

export type LeaseCall =
  | {
      readonly method: 'take';
      readonly seq: number;
      readonly needs: readonly LeaseNeed[];
      readonly spent: readonly LeaseSpent[];
    }
  | { readonly method: 'settle' | 'return'; readonly seq: number; readonly spent: readonly LeaseSpent[] };

export type LeaseStatus = 'active' | 'expired' | 'returned' | 'unknown_budget' | 'unknown_lease';

/** One line of the control plane's answer; see `writ.v1.LeaseState`. */
export interface LeaseAnswer {
  readonly budget: string;
  readonly status: LeaseStatus;
  /** 0 where there is no lease. */
  readonly lease: number;
  readonly granted: Micros;
  readonly ttlMs: number;
  readonly windowLeftMs: number;
  readonly window: string;
  readonly limit: Micros;
  readonly unleased: Micros;
}

export interface LeaseCaller {
  /** Rejects with LeaseCallError. */
  call(incarnation: string, call: LeaseCall): Promise<readonly LeaseAnswer[]>;
}

export class LeaseCallError extends Error {
  /**
   * `unavailable`: no answer, the call may or may not have happened; the same call is sent again. `refused`: the
   * control plane will never take this incarnation's calls.
   */
  readonly code: 'unavailable' | 'refused';

  constructor(code: 'unavailable' | 'refused', message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'LeaseCallError';
    this.code = code;
  }
}
