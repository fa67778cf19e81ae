/**
 * What the text engine's compiler is told of a built-in detector. `filters/detectors/detector.ts` says what each part
 * means.
 */

export type BoundaryName = 'none' | 'digit' | 'word' | 'number' | 'serial' | 'address' | 'list';
export type ValidatorName =
  'payment_card' | 'iban' | 'us_ssn' | 'ipv4' | 'ipv6' | 'phone' | 'phone_national' | 'email' | 'date' | 'entropy';

export interface ContextSource {
  readonly words: readonly string[];
  readonly within: number;
  readonly where: 'before' | 'after' | 'around';
}

export interface FormSource {
  readonly pattern: string;
  readonly longest?: number;
  readonly boundary: { readonly before: BoundaryName; readonly after: BoundaryName };
  readonly validator?: ValidatorName;
  readonly context?: ContextSource;
}

export interface BuiltinDetector {
  readonly name: string;
  readonly forms: readonly FormSource[];
}
