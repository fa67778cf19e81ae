/**
 * What a session tells its host after each call, at a fixed address (`session_out`). All fields are u32 unless said
 * otherwise; a run is an address and its bytes. The host reads it before it calls again. The layout is mirrored in
 * filters/host/output-layout.ts.
 *
 *  0 headers to set    run: u32 bytes of name, u32 bytes of value, name, value; again and again
 *  8 headers to remove run: u32 bytes of name, name; again and again
 * 16 body mode         0: what was held goes on as it came; 1: `body` goes on in its place
 * 20 body              run; where the host holds the body too, it replaces its first `covered` bytes
 * 28 status            of a local reply
 * 32 reply headers     run, as `headers to set`
 * 40 reply body        run
 * 48 reply mode        how the host hands over the response's body: 0 not at all, 1 whole, 2 as it comes
 * 52 route             run: `model/NAME` or `store/NAME`
 * 60 budgets           run: u32 each, positions in the policy's budgets whose levels are asked for
 * 68 reservations      run: u32 position, u32 zero, i64 micro-units, each
 * 76 call store        position of the store to be asked
 * 80 call method       run
 * 88 call path         run
 * 96 call body         run
 * 104 settled          1 once the exchange's cost is settled
 * 108 usage known      1 where the upstream told its usage; 0: the reservation is the cost
 * 112 cost             i64: micro-units
 * 120 records          run: the decisions so far, one JSON document a line; no text of the exchange is in them
 * 128 input tokens     i64, -1 where not told
 * 136 output tokens    i64, -1 where not told
 * 144 covered          bytes of the held body that `body` replaces: all of them, unless the host holds the body too
 * 148 review           run: an encoded `writ.v1.HeldRequest`, for the queue of reviews
 * 156 accounts         run: 16 bytes for each budget of the policy, the hash that names its account (session/accounts.ts);
 *                      empty where every budget has one account
 * 164 kept             run: at the end, an encoded `writ.v1.KeptExchange`, where something is kept
 */
import { Bytes } from '../bytes';
import { allocZeroed, free } from '../memory';

@unmanaged
export class Output {
  setPtr: u32 = 0;
  setLen: u32 = 0;
  removePtr: u32 = 0;
  removeLen: u32 = 0;
  bodyMode: u32 = 0;
  bodyPtr: u32 = 0;
  bodyLen: u32 = 0;
  status: u32 = 0;
  replyHeadersPtr: u32 = 0;
  replyHeadersLen: u32 = 0;
  replyBodyPtr: u32 = 0;
  replyBodyLen: u32 = 0;
  replyMode: u32 = 0;
  routePtr: u32 = 0;
  routeLen: u32 = 0;
  budgetsPtr: u32 = 0;
  budgetsLen: u32 = 0;
  reservesPtr: u32 = 0;
  reservesLen: u32 = 0;
  callStore: u32 = 0;
  callMethodPtr: u32 = 0;
  callMethodLen: u32 = 0;
  callPathPtr: u32 = 0;
  callPathLen: u32 = 0;
  callBodyPtr: u32 = 0;
  callBodyLen: u32 = 0;
  settled: u32 = 0;
  usageKnown: u32 = 0;
  cost: i64 = 0;
  recordsPtr: u32 = 0;
  recordsLen: u32 = 0;
  inputTokens: i64 = 0;
  outputTokens: i64 = 0;
  covered: u32 = 0;
  reviewPtr: u32 = 0;
  reviewLen: u32 = 0;
  accountsPtr: u32 = 0;
  accountsLen: u32 = 0;
  keptPtr: u32 = 0;
  keptLen: u32 = 0;

  // Not the host's.
  /** Of the request and its reply together; -1: not known. */
  tokens: i64 = 0;
  /** The request never left. */
  unsent: bool = false;
  set: usize = 0;
  remove: usize = 0;
  body: usize = 0;
  replyHeaders: usize = 0;
  replyBody: usize = 0;
  route: usize = 0;
  budgets: usize = 0;
  reserves: usize = 0;
  callMethod: usize = 0;
  callPath: usize = 0;
  callBody: usize = 0;
  records: usize = 0;
  review: usize = 0;
  accounts: usize = 0;
  kept: usize = 0;
  /** What could not be written for want of memory. */
  failed: bool = false;

  static create(): Output {
    const p = allocZeroed(<u32>offsetof<Output>());
    if (p == 0) return changetype<Output>(0);
    const o = changetype<Output>(p);
    o.inputTokens = -1;
    o.outputTokens = -1;
    o.tokens = -1;
    o.set = changetype<usize>(Bytes.create());
    o.remove = changetype<usize>(Bytes.create());
    o.body = changetype<usize>(Bytes.create());
    o.replyHeaders = changetype<usize>(Bytes.create());
    o.replyBody = changetype<usize>(Bytes.create());
    o.route = changetype<usize>(Bytes.create());
    o.budgets = changetype<usize>(Bytes.create());
    o.reserves = changetype<usize>(Bytes.create());
    o.callMethod = changetype<usize>(Bytes.create());
    o.callPath = changetype<usize>(Bytes.create());
    o.callBody = changetype<usize>(Bytes.create());
    o.records = changetype<usize>(Bytes.create());
    o.review = changetype<usize>(Bytes.create());
    o.accounts = changetype<usize>(Bytes.create());
    o.kept = changetype<usize>(Bytes.create());
    const complete =
      o.set != 0 &&
      o.remove != 0 &&
      o.body != 0 &&
      o.replyHeaders != 0 &&
      o.replyBody != 0 &&
      o.route != 0 &&
      o.budgets != 0 &&
      o.reserves != 0 &&
      o.callMethod != 0 &&
      o.callPath != 0 &&
      o.callBody != 0 &&
      o.records != 0 &&
      o.review != 0 &&
      o.accounts != 0 &&
      o.kept != 0;
    if (complete) return o;
    o.destroy();
    return changetype<Output>(0);
  }

  destroy(): void {
    drop(this.set);
    drop(this.remove);
    drop(this.body);
    drop(this.replyHeaders);
    drop(this.replyBody);
    drop(this.route);
    drop(this.budgets);
    drop(this.reserves);
    drop(this.callMethod);
    drop(this.callPath);
    drop(this.callBody);
    drop(this.records);
    drop(this.review);
    drop(this.accounts);
    drop(this.kept);
    free(changetype<usize>(this));
  }

  /**
   * Before each call of the host: what the last one said is over; what stays are route, reservations, settlement and
   * records.
   */
  begin(): void {
    this.setRun().clear();
    this.removeRun().clear();
    this.bodyRun().clear();
    this.bodyMode = 0;
    changetype<Bytes>(this.budgets).clear();
    this.reviewRun().clear();
    this.keptRun().clear();
  }

  /** After each call: addresses, which appending may have moved. */
  publish(): void {
    this.setPtr = <u32>this.setRun().ptr;
    this.setLen = this.setRun().len;
    this.removePtr = <u32>this.removeRun().ptr;
    this.removeLen = this.removeRun().len;
    this.bodyPtr = <u32>this.bodyRun().ptr;
    this.bodyLen = this.bodyRun().len;
    this.replyHeadersPtr = <u32>this.replyHeadersRun().ptr;
    this.replyHeadersLen = this.replyHeadersRun().len;
    this.replyBodyPtr = <u32>this.replyBodyRun().ptr;
    this.replyBodyLen = this.replyBodyRun().len;
    this.routePtr = <u32>this.routeRun().ptr;
    this.routeLen = this.routeRun().len;
    this.budgetsPtr = <u32>this.budgetsRun().ptr;
    this.budgetsLen = this.budgetsRun().len;
    this.reservesPtr = <u32>this.reservesRun().ptr;
    this.reservesLen = this.reservesRun().len;
    this.callMethodPtr = <u32>changetype<Bytes>(this.callMethod).ptr;
    this.callMethodLen = changetype<Bytes>(this.callMethod).len;
    this.callPathPtr = <u32>changetype<Bytes>(this.callPath).ptr;
    this.callPathLen = changetype<Bytes>(this.callPath).len;
    this.callBodyPtr = <u32>changetype<Bytes>(this.callBody).ptr;
    this.callBodyLen = changetype<Bytes>(this.callBody).len;
    this.recordsPtr = <u32>this.recordsRun().ptr;
    this.recordsLen = this.recordsRun().len;
    this.reviewPtr = <u32>this.reviewRun().ptr;
    this.reviewLen = this.reviewRun().len;
    this.accountsPtr = <u32>this.accountsRun().ptr;
    this.accountsLen = this.accountsRun().len;
    this.keptPtr = <u32>this.keptRun().ptr;
    this.keptLen = this.keptRun().len;
  }

  setRun(): Bytes {
    return changetype<Bytes>(this.set);
  }
  removeRun(): Bytes {
    return changetype<Bytes>(this.remove);
  }
  bodyRun(): Bytes {
    return changetype<Bytes>(this.body);
  }
  replyHeadersRun(): Bytes {
    return changetype<Bytes>(this.replyHeaders);
  }
  replyBodyRun(): Bytes {
    return changetype<Bytes>(this.replyBody);
  }
  routeRun(): Bytes {
    return changetype<Bytes>(this.route);
  }
  budgetsRun(): Bytes {
    return changetype<Bytes>(this.budgets);
  }
  accountsRun(): Bytes {
    return changetype<Bytes>(this.accounts);
  }
  reservesRun(): Bytes {
    return changetype<Bytes>(this.reserves);
  }
  recordsRun(): Bytes {
    return changetype<Bytes>(this.records);
  }
  reviewRun(): Bytes {
    return changetype<Bytes>(this.review);
  }
  keptRun(): Bytes {
    return changetype<Bytes>(this.kept);
  }
}

function drop(bytes: usize): void {
  if (bytes != 0) changetype<Bytes>(bytes).destroy();
}
