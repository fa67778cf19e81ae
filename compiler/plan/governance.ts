/** What holds over the rules: guarantees, and the files that the rest of a policy may only narrow. */
import type { Span } from './span.ts';

/** What must never be sent. */
export interface Guarantee {
  readonly name: string;
  readonly title?: string;
  readonly cites: readonly string[];
  readonly subject: 'prompt' | 'completion' | 'chunk';
  /**
   * `by_its_rules`: the policy's rules leave no request that would break it. `at_run_time`: the rule `guarantee NAME`
   * of its event denies what would.
   */
  readonly kept: 'by_its_rules' | 'at_run_time';
  readonly span: Span;
}

/** A file that was imported; its rules stand among the others. */
export interface ImportedFile {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
  readonly span: Span;
}
