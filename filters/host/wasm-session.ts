/** One exchange in a filter: each call hands bytes over, and reads what the session answers. */
import { ACCOUNT_HASH_BYTES, accountOf } from '../../proto/account-name.ts';
import * as abi from '../kernel/abi.ts';
import type { Evidence } from '../door/evidence.ts';
import type {
  BudgetLevel,
  Header,
  HeaderEdits,
  Reserve,
  Ruling,
  SessionOutcome,
  SessionPort,
  Shortage,
  Step,
} from '../door/session-port.ts';
import { NO_EDITS } from '../door/session-port.ts';
import { encodeText, type FilterMemory } from './filter-memory.ts';
import { readHeadersToRemove, readHeadersToSet, writeHeaderPairs } from './header-pairs.ts';
import type { KernelExports } from './kernel-exports.ts';
import * as O from './output-layout.ts';

const EMPTY = new Uint8Array();
const NO_RESERVES: readonly Reserve[] = [];
const LEVEL_BYTES = 24;
const RESERVE_BYTES = 16;

/** A budget of the filter, in the order of its positions. */
export interface FilterBudget {
  readonly name: string;
  /** It has an account for each value of an attribute. */
  readonly each: boolean;
}

export class WasmSession implements SessionPort {
  readonly #exports: KernelExports;
  readonly #memory: FilterMemory;
  readonly #budgets: readonly FilterBudget[];
  readonly #handle: number;
  readonly #out: number;
  #outcome: SessionOutcome | undefined;
  /** By position; undefined: the value that names the account is not known. Empty before they are asked for. */
  #accounts: readonly (string | undefined)[] = [];
  /** What the request that went on has set aside. */
  #reserved: readonly Reserve[] = NO_RESERVES;

  constructor(exports: KernelExports, memory: FilterMemory, budgets: readonly FilterBudget[], handle: number) {
    this.#exports = exports;
    this.#memory = memory;
    this.#budgets = budgets;
    this.#handle = handle;
    this.#out = exports.session_out(handle);
  }

  /** What Envoy has verified of the caller; before all else. */
  identify({ jwt, san }: Evidence): void {
    if (jwt === undefined && san === undefined) return;
    const document = `{"jwt":${jwt === undefined ? 'null' : JSON.stringify(jwt)},"san":${san === undefined ? 'null' : JSON.stringify(san)}}`;
    this.#memory.lend(encodeText(document), (address, length) =>
      this.#exports.session_identity(this.#handle, address, length),
    );
  }

  requestHeaders(headers: readonly Header[], end: boolean): Step {
    return this.#step(
      this.#lend(writeHeaderPairs(headers), (address, length) =>
        this.#exports.session_request_headers(this.#handle, address, length, end ? 1 : 0),
      ),
    );
  }

  requestBody(bytes: Uint8Array, end: boolean): Step {
    return this.#step(
      this.#lend(bytes, (address, length) =>
        this.#exports.session_request_body(this.#handle, address, length, end ? 1 : 0),
      ),
    );
  }

  requestTrailers(): Step {
    return this.#step(this.#exports.session_request_trailers(this.#handle));
  }

  responseHeaders(headers: readonly Header[], end: boolean): Step {
    return this.#step(
      this.#lend(writeHeaderPairs(headers), (address, length) =>
        this.#exports.session_response_headers(this.#handle, address, length, end ? 1 : 0),
      ),
    );
  }

  responseBody(bytes: Uint8Array, end: boolean): Step {
    return this.#step(
      this.#lend(bytes, (address, length) =>
        this.#exports.session_response_body(this.#handle, address, length, end ? 1 : 0),
      ),
    );
  }

  responseTrailers(): Step {
    return this.#step(this.#exports.session_response_trailers(this.#handle));
  }

  levels(levels: readonly (BudgetLevel | undefined)[]): Step {
    const bytes = new Uint8Array(this.#accounts.length * LEVEL_BYTES);
    const view = new DataView(bytes.buffer);
    let next = 0;
    this.#accounts.forEach((account, i) => {
      const level = account === undefined ? undefined : levels[next++];
      if (level === undefined) return;
      view.setBigInt64(i * LEVEL_BYTES, BigInt(level.headroom), true);
      view.setBigInt64(i * LEVEL_BYTES + 8, BigInt(level.spent), true);
      view.setUint32(i * LEVEL_BYTES + 16, level.isPart === true ? abi.LEVEL_PART : abi.LEVEL_WHOLE, true);
      view.setUint32(i * LEVEL_BYTES + 20, secondsOf(level.windowLeftMs), true);
    });
    return this.#step(
      this.#lend(bytes, (address, length) => this.#exports.session_levels(this.#handle, address, length)),
    );
  }

  refuseSpend({ budget, state }: Shortage): Step {
    const position = this.#accounts.indexOf(budget);
    return this.#step(this.#exports.session_refuse_spend(this.#handle, position, SHORTAGES[state]));
  }

  review({ state, ticket, seconds }: Ruling): Step {
    return this.#step(
      this.#lend(encodeText(ticket), (address, length) =>
        this.#exports.session_review(this.#handle, RULINGS[state], address, length, seconds),
      ),
    );
  }

  recorded(isKept: boolean): Step {
    return this.#step(this.#exports.session_recorded(this.#handle, isKept ? 1 : 0));
  }

  callResponse(response: { readonly status: number; readonly body: Uint8Array } | undefined): Step {
    return this.#step(
      this.#lend(response?.body ?? EMPTY, (address, length) =>
        this.#exports.session_call_response(this.#handle, response?.status ?? 0, address, length),
      ),
    );
  }

  outcome(): SessionOutcome {
    if (this.#outcome) return this.#outcome;
    this.#exports.session_end(this.#handle);
    const isKnown = this.#memory.u32(this.#out + O.OUTPUT_USAGE_KNOWN) === 1;
    this.#outcome = {
      records: this.records(),
      charged: this.#reserved.map(({ budget, amount }) => ({ budget, amount: this.#charged(budget, amount) })),
      spentMicros: isKnown ? Number(this.#memory.i64(this.#out + O.OUTPUT_COST)) : undefined,
      ...(this.#memory.u32(this.#out + O.OUTPUT_KEPT + 4) === 0
        ? {}
        : { kept: Uint8Array.from(this.#memory.view(this.#out + O.OUTPUT_KEPT)) }),
    };
    return this.#outcome;
  }

  /** The decisions so far, in order, each one JSON document. */
  records(): string[] {
    const records = this.#memory.text(this.#out + O.OUTPUT_RECORDS);
    // Each ends in a line end.
    return records === '' ? [] : records.slice(0, -1).split('\n');
  }

  free(): void {
    this.#exports.session_free(this.#handle);
  }

  #lend(bytes: Uint8Array, use: (address: number, length: number) => number): number {
    return this.#memory.lend(bytes, use);
  }

  #step(action: number): Step {
    const memory = this.#memory;
    const out = this.#out;
    switch (action) {
      case abi.ACTION_HOLD:
        return { kind: 'hold' };
      case abi.ACTION_LEVELS:
        return { kind: 'levels', budgets: this.#asked() };
      case abi.ACTION_REVIEW:
        return { kind: 'review', request: memory.view(out + O.OUTPUT_REVIEW) };
      case abi.ACTION_RECORD:
        return { kind: 'record', kept: memory.view(out + O.OUTPUT_KEPT) };
      case abi.ACTION_CALL:
        return {
          kind: 'call',
          store: memory.text(this.#exports.writ_store_name(memory.u32(out + O.OUTPUT_CALL_STORE))),
          method: memory.text(out + O.OUTPUT_CALL_METHOD) === 'POST' ? 'POST' : 'GET',
          path: memory.text(out + O.OUTPUT_CALL_PATH),
          body: memory.view(out + O.OUTPUT_CALL_BODY),
        };
      case abi.ACTION_CONTINUE: {
        const isReplaced = memory.u32(out + O.OUTPUT_BODY_MODE) === O.BODY_REPLACED;
        return {
          kind: 'continue',
          headers: this.#edits(),
          body: isReplaced ? memory.view(out + O.OUTPUT_BODY) : undefined,
          route: memory.u32(out + O.OUTPUT_ROUTE + 4) === 0 ? undefined : memory.text(out + O.OUTPUT_ROUTE),
          reserve: this.#reserves(),
        };
      }
      default:
        return {
          kind: 'reply',
          status: memory.u32(out + O.OUTPUT_STATUS),
          headers: this.#headers(out + O.OUTPUT_REPLY_HEADERS),
          body: memory.view(out + O.OUTPUT_REPLY_BODY),
        };
    }
  }

  #edits(): HeaderEdits {
    const memory = this.#memory;
    const remove = this.#out + O.OUTPUT_REMOVE;
    const isSet = memory.u32(this.#out + O.OUTPUT_SET + 4) > 0;
    const removed = memory.u32(remove + 4);
    if (!isSet && removed === 0) return NO_EDITS;
    const at = memory.u32(remove);
    return {
      set: this.#headers(this.#out + O.OUTPUT_SET),
      remove: readHeadersToRemove(memory.bytes, at, at + removed),
    };
  }

  #headers(place: number): Header[] {
    const memory = this.#memory;
    const at = memory.u32(place);
    return readHeadersToSet(memory.bytes, at, at + memory.u32(place + 4));
  }

  #reserves(): readonly Reserve[] {
    const memory = this.#memory;
    const at = memory.u32(this.#out + O.OUTPUT_RESERVES);
    const end = at + memory.u32(this.#out + O.OUTPUT_RESERVES + 4);
    if (at === end) return NO_RESERVES;
    const reserves: Reserve[] = [];
    this.#reserved = reserves;
    for (let each = at; each < end; each += RESERVE_BYTES)
      reserves.push({ budget: this.#accounts[memory.u32(each)] ?? '', amount: Number(memory.i64(each + 8)) });
    return reserves;
  }

  #charged(budget: string, reserved: number): number {
    return Number(this.#exports.session_charged(this.#handle, this.#accounts.indexOf(budget), BigInt(reserved)));
  }

  #asked(): string[] {
    const at = this.#memory.u32(this.#out + O.OUTPUT_ACCOUNTS);
    const hashes = this.#memory.u32(this.#out + O.OUTPUT_ACCOUNTS + 4) > 0;
    this.#accounts = this.#budgets.map(({ name, each }, position) => {
      if (!each) return name;
      const hash = hashes ? this.#memory.hex(at + position * ACCOUNT_HASH_BYTES, ACCOUNT_HASH_BYTES) : NO_HASH;
      return hash === NO_HASH ? undefined : accountOf(name, hash);
    });
    return this.#accounts.filter((account) => account !== undefined);
  }
}

const NO_HASH = '0'.repeat(2 * ACCOUNT_HASH_BYTES);

const SHORTAGES: { readonly [State in Shortage['state']]: number } = {
  nothing_left: abi.BUDGET_NOTHING_LEFT,
  short: abi.BUDGET_SHORT,
  unreadable: abi.BUDGET_UNREADABLE,
};

const RULINGS: { readonly [State in Ruling['state']]: number } = {
  unreachable: abi.REVIEW_UNREACHABLE,
  approved: abi.REVIEW_APPROVED,
  pending: abi.REVIEW_PENDING,
  rejected: abi.REVIEW_REJECTED,
  expired: abi.REVIEW_EXPIRED,
  used: abi.REVIEW_USED,
  unknown: abi.REVIEW_UNKNOWN,
  caller_full: abi.REVIEW_CALLER_FULL,
  queue_full: abi.REVIEW_QUEUE_FULL,
};

/** Whole seconds after which the window is surely over; 0: not known. */
function secondsOf(windowLeftMs: number | undefined): number {
  return windowLeftMs === undefined || windowLeftMs <= 0
    ? 0
    : Math.min(0xffff_ffff, Math.ceil(windowLeftMs / 1_000) + 1);
}
