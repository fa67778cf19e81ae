/** What every generated policy declares: the names that its rules may use. */

export const TEXTS = ['u1', 'u2', 'alpha', 'naïve', '😀', 'a "b"'] as const;
export const STORES = ['docs', 'files'] as const;

export const VOCABULARY = [
  'department = marketing | support | hr',
  'region = eu | us | asia',
  'zone = onprem | external',
  'classification = public < internal < confidential < restricted',
  `caller {
  id: text from claim "sub"
  department: department from claim "dept"
  region: region from claim "region"
  home: region from claim "home" else eu
  manager: optional text from claim "mgr"
  groups: set of text from claim "groups" else {}
  teams: set of text from claim "teams"
  regions: set of region from claim "regions" else {eu}
  clearance: classification from claim "clearance" else public
  grade: int from claim "grade"
  ratio: decimal with 3 digits from claim "ratio" else 0.5
  verified: bool from claim "verified" else false
  hired: date from claim "hired" else 2024-02-29
  since: time from claim "since" else 2026-10-25 02:30
}`,
  'hours office = monday to friday 09:00 to 18:00, saturday 10:00 to 12:00, friday 17:00 to 20:00',
  'hours night = monday to sunday 22:00 to 24:00, monday to sunday 00:00 to 06:00 in "Australia/Lord_Howe"',
  'models {\n  zone: zone\n  region: region\n  clearance: classification\n}',
  ...STORES.map(
    (store) => `store ${store} chroma "${store}" {
  source: text from metadata "source"
  version: int from metadata "version"
  groups: set of text from metadata "groups"
  classification: classification from metadata "classification" else internal
  subject: optional text from metadata "subject"
}`,
  ),
  `tool pay "pay_*" {
  amount: money from argument "amount"
  to: text from argument "recipient"
  urgent: bool from argument "urgent" else false
  memo: optional text from argument "memo"
}`,
  'tool search "search" {\n  words: text from argument "q" else ""\n}',
  'reviewers board from group "board"',
  'recipient desk by webhook "desk-hook"',
  'list blocked of text from "blocked" max age 1 day',
  'list holidays of date from "holidays" max age 90 days',
  'hours workdays = monday to friday 08:00 to 17:00 except holidays',
  'switch stop "Stop" by "on-call"',
  'switch glass "Break the glass" by "on-call" max 4 hours',
  'detectors personal = email, iban',
  'convert eur at 1.000_001 usd on 2026-01-02',
  'convert eur at 0.9 usd on 2025-12-31',
] as const;

export const MODELS = [
  ['big', 'zone: external  region: us  clearance: internal', '2.50', '10', '128_000'],
  ['mid', 'zone: external  region: eu  clearance: confidential', '2.50', '10', '4_096'],
  ['small', 'zone: onprem  region: eu  clearance: restricted', '0.02', '0.05', '1_000'],
].map(([name, attributes, input, output, context]) => ({
  name: name!,
  text: `provider: openai  ${attributes}
  input_price: ${input} usd per 1M tokens  output_price: ${output} usd per 1M tokens  context: ${context} tokens
  max_output: 200 tokens`,
}));
