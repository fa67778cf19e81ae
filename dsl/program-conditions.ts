/**
 * The leaves of the typed program: types, values, attributes and conditions. `program.ts` hands them on, so that
 * consumers import from one place.
 */
import type { Span } from './source.ts';

export type EventKind = 'prompt' | 'completion' | 'toolCall' | 'retrieval' | 'ingest' | 'exchange' | 'egress';

// ----------------------------------------------------------------------------------------------------------------
// types and values

export type Type =
  | { readonly kind: 'bool' }
  | { readonly kind: 'int' }
  /** An integer of `scale` decimal digits: 0.25 at scale 2 is 25. */
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'text' }
  | { readonly kind: 'money' }
  | { readonly kind: 'tokens' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'duration' }
  | { readonly kind: 'time' }
  | { readonly kind: 'date' }
  | { readonly kind: 'enum'; readonly name: string; readonly ordered: boolean }
  | { readonly kind: 'set'; readonly element: ScalarType }
  /** Scanned text: `contains` on it takes detectors. */
  | { readonly kind: 'content' }
  /** What `some … in` runs over. */
  | { readonly kind: 'collection'; readonly of: CollectionKind };
export type ScalarType = Exclude<Type, { kind: 'set' | 'collection' | 'content' }>;
export type CollectionKind = 'message' | 'chunk' | 'toolCall';

export type MemberValue = {
  readonly kind: 'member';
  readonly enum: string;
  readonly name: string;
  readonly ordinal: number;
};
/** Every number is an integer with |n| ≤ 2^53−1. */
export type ScalarValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'decimal'; readonly digits: number; readonly scale: number }
  | { readonly kind: 'text'; readonly value: string }
  /** Millionths of one unit of `currency`, which is the policy's unless it was converted at a declared rate. */
  | { readonly kind: 'money'; readonly micros: number; readonly currency: string }
  | { readonly kind: 'tokens'; readonly value: number }
  | { readonly kind: 'bytes'; readonly value: number }
  | { readonly kind: 'duration'; readonly milliseconds: number }
  /** `iso` is `2026-12-31` or `2026-12-31T09:00`, in the policy's time zone; a bare date starts at 00:00. */
  | { readonly kind: 'time'; readonly iso: string }
  | { readonly kind: 'date'; readonly iso: string }
  | MemberValue;
export type SetValue = { readonly kind: 'set'; readonly elements: readonly ScalarValue[] };
export type Value = ScalarValue | SetValue;

// ----------------------------------------------------------------------------------------------------------------
// conditions

/** Whose attribute it is. `now` has the empty name. `variable` is bound by an enclosing `some` or `every`. */
export type Root =
  | 'caller'
  | 'model'
  | 'prompt'
  | 'completion'
  | 'chunk'
  | 'retrieval'
  | 'tool'
  | 'text'
  | 'now'
  | 'egress'
  | 'variable';
export type AttributeRef = {
  readonly kind: 'attribute';
  readonly root: Root;
  /** Empty for `text` and `now`, which are facts by themselves. */
  readonly name: string;
  readonly type: Type;
  readonly optional: boolean;
  /** The name that `some` or `every` gave, where `root` is `variable`. */
  readonly variable: string | null;
  readonly span: Span;
  /** Where it was declared; null if it is built in. */
  readonly declared: Span | null;
};
export type Operand =
  AttributeRef | { readonly kind: 'literal'; readonly value: Value; readonly type: Type; readonly span: Span };
export type CompareOperator = 'is' | 'atLeast' | 'atMost' | 'above' | 'below';

/** `is not …` is `not` of the positive form. A substituted term's nodes carry the span of the use. */
export type Condition =
  | { readonly kind: 'and'; readonly operands: readonly Condition[]; readonly span: Span }
  | { readonly kind: 'or'; readonly operands: readonly Condition[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Condition; readonly span: Span }
  | { readonly kind: 'known'; readonly attribute: AttributeRef; readonly span: Span }
  | { readonly kind: 'isTrue'; readonly attribute: AttributeRef; readonly span: Span }
  /**
   * Both sides have one type. Ordering operators stand only between numbers, times, dates and members of one ordered
   * enum.
   */
  | {
      readonly kind: 'compare';
      readonly operator: CompareOperator;
      readonly left: AttributeRef;
      readonly right: Operand;
      readonly span: Span;
    }
  | {
      readonly kind: 'oneOf';
      readonly attribute: AttributeRef;
      readonly values: readonly ScalarValue[];
      readonly span: Span;
    }
  | { readonly kind: 'modelIs'; readonly models: readonly string[]; readonly span: Span }
  /** Some detector of the list hits in the text. */
  | {
      readonly kind: 'containsDetector';
      readonly text: AttributeRef;
      readonly detectors: readonly string[];
      readonly includingRestored: boolean;
      readonly span: Span;
    }
  /** Scanned text holds one of the words, whole and case folded. */
  | {
      readonly kind: 'containsWords';
      readonly text: AttributeRef;
      readonly words: readonly string[];
      readonly includingRestored: boolean;
      readonly span: Span;
    }
  /** A text attribute holds one of the strings, exactly. */
  | {
      readonly kind: 'containsText';
      readonly attribute: AttributeRef;
      readonly texts: readonly string[];
      readonly span: Span;
    }
  /** A set holds at least one of the members. */
  | {
      readonly kind: 'setContains';
      readonly set: AttributeRef;
      readonly members: readonly (ScalarValue | AttributeRef)[];
      readonly span: Span;
    }
  | { readonly kind: 'overlaps'; readonly left: AttributeRef; readonly right: Operand; readonly span: Span }
  | { readonly kind: 'subsetOf'; readonly left: AttributeRef; readonly right: Operand; readonly span: Span }
  | { readonly kind: 'inList'; readonly attribute: AttributeRef; readonly list: string; readonly span: Span }
  | { readonly kind: 'inHours'; readonly attribute: AttributeRef; readonly hours: string; readonly span: Span }
  | { readonly kind: 'switch'; readonly switch: string; readonly span: Span }
  /** Guarantees only. */
  | { readonly kind: 'approvedBy'; readonly event: EventKind; readonly reviewers: string; readonly span: Span }
  /** Guarantees only: some detector of the list hits in what is sent. */
  | { readonly kind: 'unredacted'; readonly detectors: readonly string[]; readonly span: Span }
  | {
      readonly kind: 'quantified';
      readonly quantifier: 'some' | 'every';
      readonly variable: string;
      readonly collection: AttributeRef;
      readonly body: Condition;
      readonly span: Span;
    };
export type ConditionKind = Condition['kind'];
