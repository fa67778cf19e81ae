/**
 * What an example of a diagnostic is: a few lines that get it, and the same lines mended. `writ check --explain`, the
 * book and `test/diagnostics` read the same examples, so that what is explained is what happens.
 */
import type { DiagnosticCode } from '../diagnostics-catalogue.ts';

/** Of the forms that are not enforced yet. */
export type UnenforcedCode = Extract<DiagnosticCode, `E09${string}`>;

export type Example = {
  readonly wrong: string;
  /** Gets no diagnostic. Null where only waiting mends it: the form is not enforced yet. */
  readonly right: string | null;
  /** The example is a whole policy; otherwise it stands beside `EXAMPLE_POLICY`. */
  readonly alone?: true;
  /** Only the compiler finds it, once the checker has nothing more to say. */
  readonly compiled?: true;
};

/** When what ends is looked at in an example. */
export const EXAMPLE_TODAY = Date.parse('2026-12-01T12:00:00Z');

/** The policy beside an example: a bank with three branches. */
export const EXAMPLE_POLICY = `policy bank {
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
  base classification: internal
}
classification = public < internal < confidential < secret
branch = vienna | graz | linz
site = inside | outside
caller {
  id: text from claim "sub"
  branch: branch from claim "branch"
  groups: set of text from claim "groups" else {}
  manager: optional text from claim "manager"
  trusted: bool from claim "trusted" else false
  since: time from claim "since" else 2020-01-01
}
models { site: site  clearance: classification }
model big "big-1" {
  provider: openai  site: outside  clearance: internal
  input_price: 2.50 usd per 1M tokens  output_price: 10 usd per 1M tokens  context: 128_000 tokens
}
model own "own-1" {
  provider: llama_cpp  site: inside  clearance: secret
  input_price: 0.02 usd per 1M tokens  output_price: 0.05 usd per 1M tokens  context: 4_096 tokens
}
store files chroma "files" {
  name: text from metadata "name"
  version: int from metadata "version"
  readers: set of text from metadata "readers"
  level: classification from metadata "level" else secret
  branch: branch from metadata "branch"
}
list vendors of text from "vendors" max age 1 day
recipient desk by webhook "desk"
reviewers lawyers from group "lawyers"
hours opening = monday to friday 08:00 to 16:00
tool transfer "transfer_*" { amount: money from argument "amount" }
switch stop_all "Stop everything" by "on-call"
rule base
  on retrieval from files
  allow chunk where chunk.readers overlaps caller.groups
  withhold chunk unless chunk.level is at most internal
`;

/** A whole policy without anything to decide about; for examples that stand alone. */
export const EMPTY_POLICY = `policy bank {
  currency usd
  time zone "Europe/Vienna"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}

caller {
  id: text from claim "sub"
}
`;

/** The file that examples of imports pin: of the company that the bank belongs to. */
export const EXAMPLE_IMPORT = {
  path: '../company/company.writ',
  sha256: '55011cd9466ddcb06497496bb25b2d6dbdc3ce5b30b542c5abb412e30a530f12',
  text: `policy company {
  currency usd
  time zone "Europe/Vienna"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}

guarantee cards_stay "No card number leaves in the clear"
  never prompt sent where payment_card is unredacted

delegate to bank where caller.id is not "guest" may allow
`,
} as const;
