/** Where a node of the plan was written. */
export interface Span {
  /** Path of the source file relative to the policy's folder. */
  readonly file: string;
  /** UTF-16 offsets into the file; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}
