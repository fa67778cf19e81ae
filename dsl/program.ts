/**
 * The typed program: what `checkProgram` hands to the compiler. Fully resolved: every name in it exists, every
 * condition is typed, terms are substituted, detector groups are expanded, literals are integers in the smallest unit.
 * It is readonly data that can be printed as JSON; every node carries the span it was written at. It holds no meaning
 * of its own: the plan gives it one.
 *
 * Canonical order: declarations whose order has no meaning are sorted by name (unnamed ones by their printed text), so
 * the same rules in any order and any file layout give the same program, spans aside. Enum members, routes'
 * preferences, budget thresholds and effects keep their order.
 */

import type {
  AttributeRef,
  Condition,
  EventKind,
  MemberValue,
  ScalarType,
  ScalarValue,
  Type,
  Value,
} from './program-conditions.ts';
import type { Span } from './source.ts';

export type * from './program-conditions.ts';
export type { Span };

export type Decision = 'allow' | 'deny';

export type Program = {
  readonly policy: Policy;
  readonly enums: readonly EnumType[];
  readonly caller: Caller;
  /** The attributes that every model of the catalog has (`models { … }`). */
  readonly modelAttributes: readonly Attribute[];
  readonly models: readonly Model[];
  readonly stores: readonly Store[];
  readonly tools: readonly Tool[];
  readonly lists: readonly List[];
  readonly recipients: readonly Recipient[];
  readonly reviewers: readonly Reviewers[];
  readonly hours: readonly Hours[];
  readonly conversions: readonly Conversion[];
  /** The policy's own detectors. Built-in ones are named only. */
  readonly detectors: readonly Detector[];
  readonly detectorGroups: readonly DetectorGroup[];
  /** Every built-in and own detector that some rule, classification or guarantee names, sorted. */
  readonly usedDetectors: readonly string[];
  readonly rules: readonly Rule[];
  readonly classifications: readonly Classification[];
  readonly routes: readonly Route[];
  readonly budgets: readonly Budget[];
  readonly rates: readonly Rate[];
  readonly waivers: readonly Waiver[];
  readonly switches: readonly Switch[];
  readonly delegations: readonly Delegation[];
  readonly imports: readonly Import[];
  readonly assumptions: readonly Assumption[];
  readonly guarantees: readonly Guarantee[];
  readonly tests: readonly PolicyTest[];
  /**
   * Every use of a form that is checked but not yet enforced; `unenforcedDiagnostics` turns it into diagnostics. In
   * source order by name.
   */
  readonly unenforced: readonly UnenforcedUse[];
};

export type Policy = {
  readonly name: string;
  readonly owner: string | null;
  /** Three lower-case letters. All money in the program is in it, unless a conversion is declared. */
  readonly currency: string;
  /** IANA name. */
  readonly timeZone: string;
  /**
   * An event that the policy does not write has `deny`, except `toolCall`, which takes the completion's, and
   * `exchange`, which is never denied.
   */
  readonly defaults: { readonly [K in EventKind]: Decision };
  readonly onFailure: Decision;
  /** A member of `classification`; null if the policy declares no such enum. */
  readonly baseClassification: MemberValue | null;
  /** The enum of `prompt.classification`, by name: always `classification`; null if not declared. */
  readonly classificationEnum: string | null;
  readonly span: Span;
};

export type EnumType = {
  readonly name: string;
  readonly ordered: boolean;
  readonly members: readonly string[];
  readonly span: Span;
};

// ----------------------------------------------------------------------------------------------------------------
// declarations

/** What an attribute is when its source holds nothing. `required`: the fact has failed. */
export type Absence =
  { readonly kind: 'required' } | { readonly kind: 'optional' } | { readonly kind: 'else'; readonly value: Value };

export type AttributeSource = {
  readonly kind: 'claim' | 'metadata' | 'argument';
  readonly name: string;
  /** The text of one value is cut at this separator into a set. */
  readonly splitBy: string | null;
};

export type Attribute = {
  readonly name: string;
  readonly type: Type;
  /** Null only for model attributes, whose values are in the catalog. */
  readonly source: AttributeSource | null;
  readonly absence: Absence;
  readonly span: Span;
};

export type Caller = { readonly attributes: readonly Attribute[]; readonly span: Span | null };

export type Model = {
  readonly name: string;
  /** The name on the wire: what a client requests and what the provider is sent. */
  readonly wireName: string;
  readonly provider: string;
  /** Micro-units of the policy's currency per million tokens, rounded up once. */
  readonly inputPrice: number;
  readonly outputPrice: number;
  readonly contextTokens: number;
  /** The output limit that is injected where the client set none; 1,024 where not declared. */
  readonly maxOutputTokens: number;
  /** Tokens that the provider's chat template may add to one request; 256 where not declared. */
  readonly templateOverheadTokens: number;
  /** One for each of `modelAttributes`, in their order. */
  readonly attributes: readonly { readonly name: string; readonly value: Value }[];
  readonly span: Span;
};

export type Store = {
  readonly name: string;
  readonly store: string;
  readonly collection: string;
  readonly attributes: readonly Attribute[];
  readonly span: Span;
};

/** `wirePattern` may end in one `*`. */
export type Tool = {
  readonly name: string;
  readonly wirePattern: string;
  readonly attributes: readonly Attribute[];
  readonly span: Span;
};
export type List = {
  readonly name: string;
  readonly element: ScalarType;
  readonly feed: string;
  readonly maxAgeMilliseconds: number;
  /** 10,000 where not declared. */
  readonly maxEntries: number;
  readonly span: Span;
};
export type Recipient = {
  readonly name: string;
  readonly channel: 'webhook';
  readonly address: string;
  readonly span: Span;
};
export type Reviewers = { readonly name: string; readonly group: string; readonly span: Span };

export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';
export type Hours = {
  readonly name: string;
  readonly ranges: readonly {
    readonly from: Weekday;
    readonly to: Weekday;
    readonly startMinute: number;
    readonly endMinute: number;
  }[];
  /** A list of dates that are outside. */
  readonly except: string | null;
  readonly timeZone: string;
  readonly span: Span;
};
/**
 * One unit of `from` is `rateMillionths` / 1,000,000 units of `to`. Of several for one pair the one of the latest day
 * counts: amounts in the program are converted already.
 */
export type Conversion = {
  readonly from: string;
  readonly to: string;
  readonly rateMillionths: number;
  readonly date: string;
  readonly span: Span;
};

export type Detector = {
  readonly name: string;
  readonly title: string | null;
  readonly matches: DetectorSource;
  readonly near: Near | null;
  /** Texts that it matches, checked where it is a pattern. */
  readonly examples: readonly string[];
  readonly span: Span;
};
export type DetectorSource =
  | {
      readonly kind: 'pattern';
      readonly source: string;
      readonly pattern: PatternNode;
      readonly ignoreCase: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'list'; readonly list: string; readonly span: Span };
/** A keyword must stand within `characters` of the match; `before`: the keyword comes first. */
export type Near = {
  readonly words: readonly string[];
  readonly characters: number;
  readonly side: 'before' | 'after' | 'either';
  readonly span: Span;
};
export type DetectorGroup = { readonly name: string; readonly detectors: readonly string[]; readonly span: Span };

/** A bounded regular pattern. Ranges are inclusive code points; `max` is finite. */
export type PatternNode =
  | { readonly kind: 'class'; readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'alternatives'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly min: number; readonly max: number };

// ----------------------------------------------------------------------------------------------------------------
// rules

export type Meta = {
  readonly cites: readonly string[];
  readonly owner: string | null;
  /** ISO dates in the policy's zone; `until` includes its day. */
  readonly effective: string | null;
  readonly until: string | null;
  readonly waivableBy: string | null;
};

export type Rule = {
  readonly name: string;
  readonly title: string | null;
  readonly event: EventKind;
  /** `on retrieval from STORE`, `on ingest into STORE`; null: every store. */
  readonly store: string | null;
  /** `on tool call to TOOL`; null: every tool. */
  readonly tool: string | null;
  readonly where: Condition | null;
  readonly unless: Condition | null;
  readonly effects: readonly Effect[];
  readonly meta: Meta;
  readonly span: Span;
  readonly nameSpan: Span;
};

export type RedactMode =
  | { readonly kind: 'placeholder' }
  | { readonly kind: 'mask'; readonly keepLast: number }
  | { readonly kind: 'remove' }
  | { readonly kind: 'year' }
  | { readonly kind: 'pseudonym'; readonly forEach: AttributeRef };

export type Effect =
  | { readonly kind: 'allow'; readonly span: Span }
  | { readonly kind: 'deny'; readonly reason: string | null; readonly span: Span }
  | { readonly kind: 'useOnlyModels'; readonly condition: Condition; readonly span: Span }
  | { readonly kind: 'require'; readonly condition: Condition; readonly span: Span }
  | { readonly kind: 'buffer'; readonly span: Span }
  | { readonly kind: 'allowChunk'; readonly condition: Condition; readonly span: Span }
  | { readonly kind: 'withholdChunk'; readonly unless: Condition; readonly say: string | null; readonly span: Span }
  | { readonly kind: 'keepNewest'; readonly newest: AttributeRef; readonly forEach: AttributeRef; readonly span: Span }
  | {
      readonly kind: 'redact';
      readonly detectors: readonly string[];
      readonly includingRestored: boolean;
      readonly mode: RedactMode;
      readonly span: Span;
    }
  | { readonly kind: 'dropCall'; readonly span: Span }
  /** `path` is the vendor's wire field, as its dotted parts. */
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly value: ScalarValue; readonly span: Span }
  | { readonly kind: 'record'; readonly milliseconds: number; readonly span: Span }
  | {
      readonly kind: 'hold';
      readonly count: number;
      readonly reviewers: string;
      readonly milliseconds: number;
      readonly span: Span;
    }
  | { readonly kind: 'limit'; readonly attribute: AttributeRef; readonly to: ScalarValue; readonly span: Span }
  | { readonly kind: 'tag'; readonly name: string; readonly value: ScalarValue; readonly span: Span }
  | { readonly kind: 'notify'; readonly recipient: string; readonly span: Span }
  /** Share in millionths. */
  | { readonly kind: 'sample'; readonly share: number; readonly reviewers: string; readonly span: Span };
export type EffectKind = Effect['kind'];

export type Classification = {
  readonly event: 'prompt' | 'completion';
  /** `receipts`: the highest class of the receipts that the prompt carries. */
  readonly level: MemberValue | 'receipts';
  readonly where: Condition | null;
  readonly unless: Condition | null;
  readonly span: Span;
};

export type Route = {
  readonly name: string;
  readonly title: string | null;
  /** Null: `for requested any`. */
  readonly requested: string | null;
  readonly preferences: readonly Preference[];
  readonly span: Span;
};
export type Preference = {
  readonly choice:
    { readonly kind: 'model'; readonly model: string } | { readonly kind: 'requested' } | { readonly kind: 'cheapest' };
  readonly where: Condition | null;
  readonly span: Span;
};

export type Period = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';
export type Budget = {
  readonly name: string;
  readonly title: string | null;
  readonly for: Condition | null;
  readonly unless: Condition | null;
  readonly forEach: AttributeRef | null;
  /** Above zero. */
  readonly limit: Extract<ScalarValue, { kind: 'money' }>;
  readonly per: Extract<Period, 'hour' | 'day' | 'week' | 'month' | 'year'>;
  readonly timeZone: string;
  /** Ascending by percent. */
  readonly thresholds: readonly Threshold[];
  readonly reason: string | null;
  readonly meta: Meta;
  readonly span: Span;
  readonly nameSpan: Span;
};
export type Threshold = {
  /** 1–100. */
  readonly percent: number;
  readonly effect:
    | { readonly kind: 'notify'; readonly recipient: string; readonly span: Span }
    | { readonly kind: 'useOnlyModels'; readonly condition: Condition; readonly span: Span };
  readonly span: Span;
};
export type Rate = {
  readonly name: string;
  readonly title: string | null;
  readonly for: Condition | null;
  readonly unless: Condition | null;
  readonly forEach: AttributeRef | null;
  readonly limit: { readonly kind: 'requests' | 'tokens'; readonly value: number };
  readonly per: Extract<Period, 'minute' | 'hour' | 'day'>;
  readonly reason: string | null;
  readonly span: Span;
};

export type Waiver = {
  readonly name: string;
  readonly title: string;
  readonly of: readonly string[];
  readonly where: Condition | null;
  readonly until: string;
  readonly owner: string;
  readonly notify: string | null;
  readonly span: Span;
};
export type Switch = {
  readonly name: string;
  readonly title: string;
  readonly by: string;
  readonly maxMilliseconds: number | null;
  readonly span: Span;
};
export type Delegation = {
  readonly to: string;
  readonly where: Condition;
  readonly may: readonly EffectWord[];
  readonly span: Span;
};
/** The first word of an effect, as `delegate … may` names it. */
export type EffectWord =
  | 'allow'
  | 'deny'
  | 'use'
  | 'require'
  | 'buffer'
  | 'withhold'
  | 'keep'
  | 'redact'
  | 'drop'
  | 'set'
  | 'record'
  | 'hold'
  | 'limit'
  | 'tag'
  | 'notify'
  | 'sample'
  | 'classify'
  | 'route'
  | 'waive';
export type Import = { readonly path: string; readonly sha256: string; readonly span: Span };
export type Assumption = { readonly name: string; readonly condition: Condition; readonly span: Span };
export type Guarantee = {
  readonly name: string;
  readonly title: string | null;
  readonly subject: 'prompt' | 'completion' | 'chunk';
  readonly condition: Condition;
  readonly meta: Meta;
  readonly span: Span;
};

// ----------------------------------------------------------------------------------------------------------------
// tests

/** One `test` is a list of events in order; each has what is given before it and what is expected of it. */
export type PolicyTest = { readonly title: string; readonly steps: readonly TestStep[]; readonly span: Span };
export type TestStep =
  | { readonly kind: 'caller'; readonly attributes: readonly GivenAttribute[]; readonly span: Span }
  | { readonly kind: 'now'; readonly iso: string; readonly span: Span }
  | { readonly kind: 'switch'; readonly switch: string; readonly on: boolean; readonly span: Span }
  | { readonly kind: 'list'; readonly list: string; readonly entries: readonly ScalarValue[]; readonly span: Span }
  | {
      readonly kind: 'spent';
      readonly amount: Extract<ScalarValue, { kind: 'money' }> | Rate['limit'];
      /** A budget, or a rate whose unit the amount has. */
      readonly budget: string;
      readonly span: Span;
    }
  /** `requested` is a model's wire name or what a route serves. */
  | {
      readonly kind: 'prompt';
      readonly requested: string;
      readonly text: string;
      readonly attributes: readonly GivenAttribute[];
      readonly span: Span;
    }
  | { readonly kind: 'completion'; readonly text: string; readonly span: Span }
  | { readonly kind: 'egress'; readonly host: string; readonly span: Span }
  /** Of the exchange that the latest prompt has begun. */
  | { readonly kind: 'end'; readonly span: Span }
  | {
      readonly kind: 'chunk';
      readonly store: string;
      readonly attributes: readonly GivenAttribute[];
      readonly text: string | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'document';
      readonly store: string;
      readonly attributes: readonly GivenAttribute[];
      readonly text: string | null;
      readonly span: Span;
    }
  | {
      readonly kind: 'toolCall';
      readonly tool: string;
      readonly arguments: readonly GivenAttribute[];
      readonly span: Span;
    }
  | { readonly kind: 'expect'; readonly expectation: Expectation; readonly span: Span };
export type GivenAttribute = { readonly name: string; readonly value: Value; readonly span: Span };
/** Of the latest event before it. */
export type Expectation =
  | { readonly kind: 'allow' }
  | { readonly kind: 'deny'; readonly by: string | null }
  | { readonly kind: 'redact'; readonly detectors: readonly string[]; readonly by: string | null }
  | { readonly kind: 'sent'; readonly text: string }
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'withheld'; readonly by: string | null }
  | { readonly kind: 'classification'; readonly level: MemberValue }
  | { readonly kind: 'hold'; readonly by: string | null }
  | { readonly kind: 'record'; readonly by: string | null }
  | { readonly kind: 'sample'; readonly by: string | null }
  | { readonly kind: 'tag'; readonly name: string; readonly value: ScalarValue };

// ----------------------------------------------------------------------------------------------------------------
// unenforced forms

/**
 * A form that is checked here and enforced by nothing yet. `rule` is the declaration's name; `event` is null where it
 * stands on none.
 */
export type UnenforcedUse = {
  readonly form: UnenforcedForm;
  readonly declaration: string;
  readonly event: EventKind | null;
  readonly span: Span;
};
export type UnenforcedForm = 'hold' | 'listDetector';
