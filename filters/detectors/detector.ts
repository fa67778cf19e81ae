/**
 * What a detector is: one file each in this folder, listed in `detectors.ts`. A detector is data; the text engine compiles it into automata at build time.
 */

export interface Detector {
  /** As policies write it, snake_case. */
  readonly name: string;
  /** For people: "payment card number". */
  readonly title: string;
  /** What it finds, what it does not, by which standard. One or two sentences. */
  readonly about: string;
  /** Alternatives in the pattern syntax of the language (regular, bounded length), matched against folded text: ASCII digits, one kind of dash and space, no zero-width characters. */
  readonly patterns: readonly string[];
  /** What must not stand directly before and after a match. `word`: a letter, digit or `_`; `digit`: a digit; `none`: anything may. */
  readonly boundary: { readonly before: Boundary; readonly after: Boundary };
  /** A check on the matched text that patterns cannot express. Each is a function of the kernel. */
  readonly validator?: Validator;
  /** One of the words must stand near, ignoring case, as a whole word. */
  readonly context?: { readonly words: readonly string[]; readonly within: number; readonly where: "before" | "after" | "around" };
  /** Texts in which the part between `⟦` and `⟧` is the hit. Used in documentation, in tests, and as witnesses. */
  readonly examples: readonly string[];
  /** Texts in which nothing may be found. */
  readonly lookAlikes: readonly string[];
}

export type Boundary = "word" | "digit" | "none";
export type Validator = "luhn" | "iban" | "us_ssn" | "ipv4" | "ipv6" | "phone" | "email" | "jwt" | "date" | "aws_key" | "entropy";
