// A record of one exchange: what a rule wants kept for a time, masked, and deleted then.

export interface ExchangeRecord {
  readonly id: number;
  readonly policy: string;
  /** 16 bytes, as the filter names it. */
  readonly exchange: Uint8Array;
  readonly node: string;
  readonly callerId: string;
  readonly model: string;
  readonly rules: readonly { readonly rule: string; readonly milliseconds: number }[];
  /** As in KeptExchange. */
  readonly prompt: string;
  readonly reply: string;
  readonly cut: boolean;
  readonly denied: boolean;
  /** False: its end was not told, yet or ever: the filter was gone. */
  readonly ended: boolean;
  readonly at: number;
  readonly deleteAt: number;
}

/** Somebody has read a record, or a list of them. */
export interface RecordRead {
  readonly reader: string;
  readonly verb: 'list' | 'show' | 'export';
  readonly policy: string;
  /** 0 where it was more than one. */
  readonly record: number;
  readonly count: number;
  readonly at: number;
}

/** A call that is refused; the message is for whoever called. */
export class RecordRefusal extends Error {
  readonly code: 'malformed' | 'no_policy' | 'not_found';

  constructor(code: RecordRefusal['code'], message: string) {
    super(message);
    this.name = 'RecordRefusal';
    this.code = code;
  }
}
