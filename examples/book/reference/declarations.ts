/** What each declaration is for, in words, with an example. A declaration without its entry does not compile. */
import { EMPTY_POLICY, EXAMPLE_IMPORT } from '../../../dsl/explain/example.ts';
import type { Declaration } from '../../../dsl/syntax-tree.ts';

export interface Described {
  /** One line, for tables and search. */
  readonly short: string;
  /** Markdown. */
  readonly about: string;
  /** Stands beside the policy of the examples, or alone. Checked by the tests. */
  readonly example: string;
  readonly alone?: true;
}

const POLICY = `policy bank {
  owner "privacy@bank.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
`;
const CALLER = 'caller {\n  id: text from claim "sub"\n}\n';

export const DECLARATIONS: { readonly [K in Declaration['kind']]: Described } = {
  policy: {
    short: 'what holds where no rule says anything',
    about: `A folder of \`.writ\` files is one policy, and has one \`policy\` block. It says in which currency money is counted, in which time zone days begin, what happens where no rule says anything, and what happens when a rule cannot be
decided. Nothing has a silent default: what is missing is an error.

\`on failure: deny\` means that a rule whose facts are missing or broken denies the request. \`on failure: allow\` lets it pass, and still not for identity, limits, budgets, and what could not be read.

Where an enum \`classification\` is declared, \`base classification\` says which class a prompt has before any \`classify\` raises it.`,
    example: `${POLICY}\n${CALLER}`,
    alone: true,
  },
  import: {
    short: 'a policy of others as a ceiling, pinned by its hash',
    about: `Takes another policy as a ceiling: this policy may narrow what that one allows, and may widen nothing that it does not delegate. The hash pins its text, so that nobody changes it unseen; \`sha256sum FILE\` prints it.`,
    example: `${EMPTY_POLICY}\nimport "${EXAMPLE_IMPORT.path}" at "sha256:${EXAMPLE_IMPORT.sha256}"\n`,
    alone: true,
  },
  enum: {
    short: 'a closed set of names, ordered or not',
    about: `A name for a closed set of values. With \`|\` the members have no order. With \`<\` they do, and may be compared by \`is at least\`, \`is at most\`, \`is above\` and \`is below\`. An enum has 2 to 64 members.

The enum \`classification\` is special: it is ordered, and \`prompt.classification\` is one of its members.`,
    example: 'channel = web | phone | branch_office\nseverity = low < medium < high\n\nterm urgent = caller.trusted\n',
  },
  caller: {
    short: 'who is asking: attributes from verified claims',
    about: `The attributes of whoever asks, and the claims that they come from. A claim is a field of a token that Envoy has verified, of a client certificate, or of an API key whose hash is in the bundle. A header that a client can set names nobody.

An attribute is required unless it is \`optional\` or has an \`else\`. When a required claim is missing, every rule that reads it has failed, and \`on failure\` decides. \`split by ","\` makes a set of one text.`,
    example: `${POLICY}
department = finance | hr | support

caller {
  id: text from claim "sub"
  department: department from claim "dept"
  groups: set of text from claim "groups" split by "," else {}
  manager: optional text from claim "manager"
  contract_ends: time from claim "contract_ends" else 2030-01-01
}
`,
    alone: true,
  },
  callerFrom: {
    short: 'attributes of the caller from a file',
    about: 'Is read and refused: the attributes of `caller` are written in the policy, where its readers see them.',
    example: `${POLICY}\n${CALLER}`,
    alone: true,
  },
  models: {
    short: 'what is said of every model',
    about:
      'The attributes that every model of the catalog must give, besides the built-in settings. Rules read them as `model.NAME`.',
    example: `${POLICY}
${CALLER}
region = eu | us

models {
  region: region
  days_kept: int
}

model near "mini-1" {
  provider: openai
  region: eu
  days_kept: 0
  input_price: 0.15 usd per 1M tokens
  output_price: 0.60 usd per 1M tokens
  context: 128_000 tokens
}
`,
    alone: true,
  },
  model: {
    short: 'one model: provider, prices, limits',
    about: `One model that may be used. The name is for rules; the text is what stands on the wire. Every model gives its \`provider\`, \`input_price\`, \`output_price\`, \`context\`, and every attribute of \`models\`.
\`max_output\` (1,024 tokens where it is not said) is the longest answer that is ever asked for, and \`template_overhead\` what the provider adds to a prompt.

Providers: \`openai\`, \`anthropic\`, \`llama_cpp\`, \`vllm\`, \`ollama\`, \`openai_compatible\`.`,
    example: `model spare "spare-8b" {
  provider: vllm
  site: inside
  clearance: confidential
  input_price: 0.02 usd per 1M tokens
  output_price: 0.05 usd per 1M tokens
  context: 32k tokens
  max_output: 2_000 tokens
}
`,
  },
  store: {
    short: 'a vector store, and what its chunks say of themselves',
    about: `A collection of a vector store. Its attributes come from the metadata of chunks, and rules read them as \`chunk.NAME\`. What a rule on retrieval says is added to the query before it reaches the store, so that what may not be found is
not searched. The kind of store is \`chroma\`.`,
    example: `store handbook chroma "handbook" {
  source: text from metadata "source"
  version: int from metadata "version"
  readers: set of text from metadata "readers" else {}
  level: classification from metadata "level" else secret
}
`,
  },
  tool: {
    short: 'a tool that models may call, with typed arguments',
    about:
      'A tool as it is named on the wire, and its arguments. One `*` may stand at the end of the name, for any ending.',
    example:
      'tool refund "refund_*" {\n  amount: money from argument "amount"\n  reason: optional text from argument "reason"\n}\n',
  },
  list: {
    short: 'entries that change without a new bundle',
    about:
      'A list whose entries come from a feed, signed, and change without a new bundle. When the newest version is older than `max age`, what asks the list has failed.',
    example:
      'list erased of text from "erased-subjects" max age 1 hour max entries 50_000\n\nterm gone = caller.trusted\n',
  },
  recipient: {
    short: 'who is told of something',
    about:
      'Who is told by `notify`. The channel is a `webhook`; the policy has its name, and the control plane its address and the secret that messages are signed with.',
    example: 'recipient privacy_desk by webhook "privacy-desk"\n',
  },
  reviewers: {
    short: 'who may approve what is held',
    about: 'A group of people who may approve what `hold for review` holds. The group is one of the identity provider.',
    example: 'reviewers medical_board from group "medical-board"\n',
  },
  hours: {
    short: 'hours of the week',
    about: `Ranges of days and times of one week. \`24:00\` ends a day; a range over midnight is written as two. Asked by \`is in hours\`. Without \`in "ZONE"\` the hours are those of the policy's time zone.`,
    example: `hours shift = monday to friday 06:00 to 22:00, saturday 08:00 to 14:00 in "Europe/Vienna"

rule in_shift "Only while the shift is on"
  on prompt
  where now is not in hours shift
  deny "The shift is over"
`,
  },
  convert: {
    short: 'a rate between two currencies, dated',
    about:
      'The rate of a second currency on a day. Budgets in that currency are converted by the newest rate that has begun.',
    example:
      'convert eur at 1.08 usd on 2026-01-02\n\nbudget europe\n  for caller.branch is graz\n  limit 500 eur per month\n',
  },
  detector: {
    short: 'finds one kind of value in text',
    about: `Finds one kind of value. A pattern in backticks knows characters, classes \`[A-Z0-9]\`, groups, \`|\`, \`?\`, \`{n}\`, \`{n,m}\`, \`.\`, \`\\d\`, \`\\w\`, \`\\s\`. Repetition is counted, and a match has at most 256 characters, so that searching never slows down.
\`near\` asks for a word in the neighbourhood: a number alone says little, a number after "badge" says much. Each of the \`examples\` must be one whole match; they become tests.`,
    example: `detector badge "Staff badge" matches \`B-[0-9]{4}\` near ("badge", "staff") within 40 characters before examples ("B-1234")

rule hide_badges
  on prompt
  redact badge as mask
`,
  },
  detectors: {
    short: 'a group of detectors under one name',
    about: 'A name for several detectors. A group may stand wherever a detector may, also in another group.',
    example: 'detectors money_matters = iban, payment_card\n\nrule hide\n  on prompt\n  redact money_matters as mask\n',
  },
  term: {
    short: 'a condition with a name',
    about:
      'A name for a condition. Where it is used, its text stands in its place, so it is checked at each use for the event where it is used. A term used alone needs no `is`.',
    example: `term insider = caller.trusted and caller.groups contains "staff"

rule only_insiders "Only insiders use the model outside"
  on prompt
  unless insider
  use only models where model.site is inside
`,
  },
  rule: {
    short: 'what happens on an event, and when',
    about: `The heart of a policy: on an event, where a condition holds and unless another does, something happens. A rule without \`where\` always fires. The clauses may stand in any order. A rule may have several effects.

Rules do not override each other, and their order says nothing. What forbids wins over what allows; redactions of one value are joined, and what hides more is done; of the models, those are left that every rule leaves.`,
    example: `rule accounts_out "Account numbers do not leave"
  on prompt
  where model.site is outside
  unless caller.trusted
  redact any of (iban, payment_card) as placeholder
  cites "GDPR Art. 32"
  owner "privacy@bank.example"
`,
  },
  classify: {
    short: 'raises the class of a text',
    about:
      'Gives a prompt a class where its condition holds. Several may fire: the highest counts. The class is known before models are chosen and before anything is redacted, and rules read it as `prompt.classification`. What is said of a completion they read as `completion.classification`.',
    example: 'classify prompt as confidential where text contains any of (iban, us_ssn) unless caller.trusted\n',
  },
  route: {
    short: 'which model answers, in order of preference',
    about: `For the model name that a request asks for, the models that are tried, in order. The first that no rule and no budget has taken away, and whose condition holds, is used. \`for requested any\` is for every name that has no route of its own;
\`prefer requested\` is the named model itself, \`prefer any by price\` the cheapest that is left.`,
    example: `route auto "Small questions to our own model"
  for requested "auto"
  prefer own where prompt.tokens_estimate is at most 500 tokens
  prefer big
  prefer any by price
`,
  },
  budget: {
    short: 'what may be spent in a period',
    about: `An amount of money for a period of the calendar, for those whom its condition covers. Before a request leaves, the most that it can cost is set aside; after the answer, what it did cost is settled. So the limit is never passed, however many ask at once.
At a threshold, \`at … percent\` narrows the models. Periods: \`hour\`, \`day\`, \`week\`, \`month\`, \`year\`, of the time zone after \`in\`.`,
    example: `budget graz_month "What Graz may spend"
  for caller.branch is graz
  limit 400 usd per month in "Europe/Vienna"
  at 90 percent use only models where model.site is inside
  else deny "This month's budget does not cover this request"
`,
  },
  rate: {
    short: 'how often somebody may ask',
    about:
      'A number of requests or tokens per `minute`, `hour` or `day`, counted over all gateways. With `for each`, each value of an attribute has its own.',
    example:
      'rate burst "No floods"\n  for each caller.id\n  limit 60 requests per minute\n  else deny "Slowly, please"\n',
  },
  waiver: {
    short: 'an exception with an owner and a last day',
    about: `Lifts rules for some people until a day. Each of its rules must say \`waivable by\`, so that the rule's readers know. It lifts what a rule denies, redacts, withholds, limits or asks of models; what a rule allows stays. The last day
belongs to it. \`check\` and \`build\` warn for two weeks before it ends.`,
    example: `rule mask_accounts
  on prompt
  redact iban as mask
  waivable by "dpo@bank.example"

waiver audit "The auditors compare account numbers" of mask_accounts
  where caller.groups contains "auditors"
  until 2027-12-31
  owner "dpo@bank.example"
`,
  },
  switch: {
    short: 'something that people turn on and off',
    about:
      'Turned on and off by a named group without a new bundle, signed, for at most a time. For a stop of everything, or for breaking glass.',
    example:
      'switch no_models_outside "Stop every model outside" by "on-call" max 4 hours\n\nterm stop = caller.trusted\n',
  },
  delegate: {
    short: 'what importers may do beyond the ceiling',
    about:
      'Hands a part on: whoever imports this policy may go beyond it by the named effects, within the condition, and by no others.',
    example: 'delegate to graz where caller.branch is graz may allow, redact\n',
  },
  assume: {
    short: 'a premise that the identity provider guarantees',
    about:
      'Says something that the identity provider guarantees, and that the proof of a guarantee may take for granted. It decides nothing.',
    example: 'assume known_branches caller.branch is one of (vienna, graz, linz)\n',
  },
  guarantee: {
    short: 'what must never happen, whatever the rules say',
    about:
      'Says what must never be sent. It is the last word: what the rules do not see to already is denied, and the report says which of both it is.',
    example:
      'guarantee cards_stay "No card leaves in the clear"\n  never prompt sent where model.site is outside and payment_card is unredacted\n  cites "PCI DSS 4.2"\n',
  },
  test: {
    short: 'what is expected of the policy',
    about: `Steps in order, and what is expected of the latest event. \`writ test\` sends real messages through the compiled policy, so that what is found, redacted and sent is what a sidecar would find, redact and send. What a test does not say is not
there: no money is spent, and an attribute that is not given is missing. A policy that reads the time needs \`now\`.`,
    example: `rule mask_accounts
  on prompt
  redact iban as mask

test "an account number is masked" {
  caller { id: "u1"  branch: graz }
  prompt to big "Pay to DE89 3704 0044 0532 0130 00"
  expect redact iban by mask_accounts
  expect sent "Pay to [IBAN]"
}
`,
  },
};
