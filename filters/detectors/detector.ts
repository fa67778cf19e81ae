/**
 * What a detector is: one file each in this folder, listed in `detectors.ts`. A detector is data; the text engine
 * compiles it into automata at build time.
 */

export interface Detector {
  /** As policies write it, snake_case. */
  readonly name: string;
  /** For people: "payment card number". */
  readonly title: string;
  /** What it finds, what it does not, by which standard. One or two sentences. */
  readonly about: string;
  /**
   * The ways in which the value is written. A hit is found by any of them; hits of one detector that overlap are one.
   */
  readonly forms: readonly Form[];
  /** Texts in which the part between `⟦` and `⟧` is the hit. Used in documentation, in tests, and as witnesses. */
  readonly examples: readonly string[];
  /** Texts in which nothing may be found. */
  readonly lookAlikes: readonly string[];
}

/**
 * A hit is every stretch of text that the pattern matches, that the boundaries and the context allow, and that the
 * validator accepts.
 */
export interface Form {
  /**
   * In the pattern syntax of the language, matched against folded text: ASCII digits, one kind of dash and space, no
   * zero-width characters. With `longest` it may repeat without bound.
   */
  readonly pattern: string;
  /** Bytes of the longest match; longer ones are none. Needed where the pattern repeats without bound. */
  readonly longest?: number;
  /** What must not stand directly before and after a match. */
  readonly boundary: { readonly before: Boundary; readonly after: Boundary };
  /** A check on the matched text that patterns cannot express. Each is a function of the kernel. */
  readonly validator?: Validator;
  /**
   * One of the words must stand near, as a whole word, ignoring case. A space in a word stands for any one space, dash,
   * dot or underscore.
   */
  readonly context?: Context;
}

export interface Context {
  readonly words: readonly string[];
  /** Characters before or after the match in which the whole word must lie. */
  readonly within: number;
  readonly where: 'before' | 'after' | 'around';
}

/**
 * `none`: anything may touch the match. `digit`: no digit. `word`: no ASCII letter, digit or `_`. `number`: as `word`,
 * and no further digit joined by a dot (1.2.3.4 in 1.2.3.4.5). `serial`: as `number`, and none joined by a dash.
 * `address`: as `number`, and none joined by a colon. `list`: as `word`, and no digit over a tab or a line's end (with
 * blanks, four characters at most): no number of a list that has one a line, and no column of a table.
 *
 * `_` counts where it joins a letter or a digit, as in `order_4111`; not as the emphasis of Markdown, `_4111_`.
 */
export type Boundary = 'none' | 'digit' | 'word' | 'number' | 'serial' | 'address' | 'list';

export type Validator =
  'payment_card' | 'iban' | 'us_ssn' | 'ipv4' | 'ipv6' | 'phone' | 'phone_national' | 'email' | 'date' | 'entropy';
