/**
 * The exports of a linked filter (filters/kernel/session.ts), as JavaScript sees them: addresses and lengths are
 * numbers, u64 and i64 are bigints.
 */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  writ_alloc(size: number): number;
  writ_free(address: number): void;
  writ_bytes_in_use(): number;
  writ_wants_key(): number;
  writ_take_key(address: number, length: number): number;
  writ_masked_for_want(): number;
  writ_budget_count(): number;
  /** Address of (address, bytes). */
  writ_budget_name(position: number): number;
  session_charged(handle: number, position: number, reserved: bigint): bigint;
  /** 1: it has an account for each value of an attribute. */
  writ_budget_each(position: number): number;
  writ_store_name(position: number): number;
  writ_feed(address: number, length: number): number;
  writ_decide(address: number, length: number): number;
  writ_scan(address: number, length: number): number;
  session_new(nonce: bigint, now: bigint): number;
  session_free(session: number): void;
  session_out(session: number): number;
  session_identity(session: number, address: number, length: number): void;
  session_request_headers(session: number, address: number, length: number, eos: number): number;
  session_request_body(session: number, address: number, length: number, eos: number): number;
  session_request_trailers(session: number): number;
  session_levels(session: number, address: number, length: number): number;
  session_refuse_spend(session: number, position: number, state: number): number;
  session_review(session: number, state: number, ticket: number, ticketBytes: number, seconds: number): number;
  session_recorded(session: number, isKept: number): number;
  session_call_response(session: number, status: number, address: number, length: number): number;
  session_response_headers(session: number, address: number, length: number, eos: number): number;
  session_response_body(session: number, address: number, length: number, eos: number): number;
  session_response_trailers(session: number): number;
  session_end(session: number): void;
}
