/** Detectors as a plan names them. */

/** A detector that some rule of the policy mentions: built in, or declared by the policy with its own pattern. */
export interface DetectorUse {
  readonly name: string;
  readonly source:
    | { readonly kind: 'builtin' }
    | {
        readonly kind: 'pattern';
        readonly pattern: string;
        /** ASCII letters of the pattern match in either case. */
        readonly ignoreCase: boolean;
        readonly near?: {
          readonly words: readonly string[];
          readonly within: number;
          readonly where: 'before' | 'after' | 'around';
        };
      };
}
