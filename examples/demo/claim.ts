/** What a scene asserts, with what was seen. */
export interface Claim {
  readonly scene: number;
  readonly claim: string;
  /** What was seen, in a few words, whether the claim holds or not. */
  readonly evidence: string;
  readonly ok: boolean;
}
