/** Examples of E03, W03 (types, units, numbers) and E04, W04 (rules). */
import { EMPTY_POLICY, type Example, EXAMPLE_IMPORT } from './example.ts';

/** A rule on prompts with this condition. */
const denyWhere = (condition: string): string => `rule refuse\n  on prompt\n  where ${condition}\n  deny\n`;

const IMPORT = `import "${EXAMPLE_IMPORT.path}" at "sha256:${EXAMPLE_IMPORT.sha256}"`;

const NOTES =
  'store notes chroma "notes" {\n  kind: text from metadata "kind"\n  year: int from metadata "year"\n}\n\n';

const FINDINGS = 'rule newest\n  on retrieval from files\n';

export const TYPE_AND_RULE_EXAMPLES = {
  E0301: { wrong: denyWhere('caller.branch is "graz"'), right: denyWhere('caller.branch is graz') },
  E0302: {
    wrong: denyWhere('prompt.tokens_estimate is above 800'),
    right: denyWhere('prompt.tokens_estimate is above 800 tokens'),
  },
  E0303: {
    wrong: 'budget all\n  limit 0.000_000_1 usd per day\n',
    right: 'budget all\n  limit 0.000_001 usd per day\n',
  },
  E0304: {
    wrong: denyWhere('prompt.choices is above 9_007_199_254_740_992'),
    right: denyWhere('prompt.choices is above 4'),
  },
  E0305: {
    wrong: denyWhere('caller.branch is at least graz'),
    right: denyWhere('caller.branch is one of (graz, linz)'),
  },
  E0306: {
    wrong: denyWhere('caller.manager is caller.id'),
    right: denyWhere('caller.manager is known and caller.manager is caller.id'),
  },
  E0307: {
    wrong: denyWhere('caller.manager is known and caller.id is known'),
    right: denyWhere('caller.manager is known'),
  },
  E0308: { wrong: denyWhere('caller.branch contains graz'), right: denyWhere('caller.branch is graz') },
  E0309: {
    wrong: denyWhere('caller.id overlaps caller.groups'),
    right: denyWhere('caller.groups contains caller.id'),
  },
  E0310: { wrong: denyWhere('caller.branch'), right: denyWhere('caller.branch is graz') },
  E0311: { wrong: denyWhere('prompt.complexity is above 1__00'), right: denyWhere('prompt.complexity is above 1_00') },
  E0312: {
    wrong: denyWhere('caller.since is above 2026-02-30'),
    right: denyWhere('caller.since is above 2026-02-28'),
  },
  E0313: {
    wrong: denyWhere('payment_card is unredacted'),
    right: 'guarantee cards_stay\n  never prompt sent where payment_card is unredacted\n',
  },
  E0314: {
    wrong: denyWhere('some message in prompt.tokens_estimate has (message.role is user)'),
    right: denyWhere('some message in prompt.messages has (message.role is user)'),
  },
  E0315: { wrong: denyWhere('caller.branch is in hours opening'), right: denyWhere('now is in hours opening') },
  E0316: { wrong: denyWhere('caller.branch is in vendors'), right: denyWhere('caller.id is in vendors') },
  E0317: {
    wrong: denyWhere('caller.branch is one of (caller.id, graz)'),
    right: denyWhere('caller.branch is one of (linz, graz)'),
  },
  E0318: {
    wrong: 'tool pay "pay" { amount: mony from argument "amount" }\n',
    right: 'tool pay "pay" { amount: money from argument "amount" }\n',
  },
  W0301: {
    wrong: denyWhere('prompt.complexity is above 4_000'),
    right: denyWhere('prompt.complexity is above 400'),
  },
  E0401: {
    wrong: 'rule near\n  on retrieval from files\n  use only models where model.site is inside\n',
    right: 'rule near\n  on prompt\n  use only models where model.site is inside\n',
  },
  E0402: {
    wrong:
      'rule trusted_may\n  on prompt\n  where caller.trusted\n  allow\n\nrule no_accounts\n  on prompt\n  where text contains iban\n  deny\n',
    right: 'rule no_accounts\n  on prompt\n  where text contains iban\n  unless caller.trusted\n  deny\n',
  },
  E0403: {
    wrong: 'rule stay\n  on prompt\n  where text contains iban and model.site is outside\n  deny\n',
    right: 'rule stay\n  on prompt\n  where text contains iban\n  use only models where model.site is inside\n',
  },
  E0404: {
    wrong: 'rule hide\n  on prompt\n  where prompt.sent_classification is at least secret\n  redact iban as mask\n',
    right: 'rule hide\n  on prompt\n  where prompt.classification is at least secret\n  redact iban as mask\n',
  },
  E0405: {
    wrong: 'rule purpose\n  on prompt\n  where caller.trusted\n  cites "GDPR Art. 5"\n',
    right: 'rule purpose\n  on prompt\n  where caller.trusted\n  redact iban as mask\n  cites "GDPR Art. 5"\n',
  },
  E0406: {
    wrong: 'rule who\n  on prompt\n  where caller.trusted\n  where caller.branch is graz\n  deny\n',
    right: 'rule who\n  on prompt\n  where caller.trusted and caller.branch is graz\n  deny\n',
  },
  E0407: {
    wrong: 'budget graz_month\n  for caller.branch is graz\n',
    right: 'budget graz_month\n  for caller.branch is graz\n  limit 400 usd per month\n',
  },
  E0408: {
    wrong: 'rule answers\n  on completion from files\n  redact iban as mask\n',
    right: 'rule answers\n  on completion\n  redact iban as mask\n',
  },
  E0409: {
    wrong:
      'rule four_eyes\n  on prompt\n  where text contains iban\n  hold for review by 0 of lawyers up to 2 hours else deny\n',
    right:
      'rule four_eyes\n  on prompt\n  where text contains iban\n  hold for review by 2 of lawyers up to 2 hours else deny\n',
  },
  E0410: {
    wrong: 'rule short\n  on prompt\n  limit prompt.tokens_estimate to 500 tokens\n',
    right: 'rule short\n  on prompt\n  limit prompt.output_tokens to 500 tokens\n',
  },
  E0411: {
    wrong: 'rule audit\n  on prompt\n  deny\n  effective 2027-06-01 until 2027-05-01\n',
    right: 'rule audit\n  on prompt\n  deny\n  effective 2027-05-01 until 2027-06-01\n',
  },
  E0412: {
    wrong:
      'rule mask_accounts\n  on prompt\n  redact iban as mask\n\nwaiver audit "The auditors" of mask_accounts\n  until 2030-01-01\n  owner "dpo@bank.example"\n',
    right:
      'rule mask_accounts\n  on prompt\n  redact iban as mask\n  waivable by "dpo@bank.example"\n\nwaiver audit "The auditors" of mask_accounts\n  until 2030-01-01\n  owner "dpo@bank.example"\n',
  },
  E0413: {
    wrong: `${FINDINGS}  keep newest chunk.name for each chunk.version\n`,
    right: `${FINDINGS}  keep newest chunk.version for each chunk.name\n`,
  },
  E0414: {
    wrong: 'classify prompt as secret where model.site is outside\n',
    right: 'classify prompt as secret where text contains iban\n',
  },
  E0415: {
    wrong: `${FINDINGS}  allow chunk where chunk.level is internal\n  keep newest chunk.version for each chunk.name\n  waivable by "dpo@bank.example"\n\nwaiver audit "The auditors" of newest\n  until 2030-01-01\n  owner "dpo@bank.example"\n`,
    right: `rule internal\n  on retrieval from files\n  allow chunk where chunk.level is internal\n\n${FINDINGS}  keep newest chunk.version for each chunk.name\n  waivable by "dpo@bank.example"\n\nwaiver audit "The auditors" of newest\n  until 2030-01-01\n  owner "dpo@bank.example"\n`,
  },
  E0416: {
    wrong: `${EMPTY_POLICY}\nimport "${EXAMPLE_IMPORT.path}" at "sha256:${'0'.repeat(64)}"\n`,
    right: `${EMPTY_POLICY}\n${IMPORT}\n`,
    alone: true,
  },
  E0417: {
    wrong: `${EMPTY_POLICY}\nimport "/company/company.writ" at "sha256:${EXAMPLE_IMPORT.sha256}"\n`,
    right: `${EMPTY_POLICY}\n${IMPORT}\n`,
    alone: true,
  },
  E0418: {
    wrong: `${EMPTY_POLICY}\n${IMPORT}\n\n${NOTES}rule readers\n  on retrieval from notes\n  allow chunk where chunk.kind is "open"\n  withhold chunk unless chunk.year is at least 2020\n`,
    right: `${EMPTY_POLICY}\n${IMPORT}\n\n${NOTES}rule readers\n  on retrieval from notes\n  allow chunk where chunk.kind is "open"\n\nrule current\n  on retrieval from notes\n  withhold chunk unless chunk.year is at least 2020\n`,
    alone: true,
  },
  E0419: {
    wrong: `${EMPTY_POLICY.replace('on failure: deny', 'on failure: allow')}\n${IMPORT}\n`,
    right: `${EMPTY_POLICY}\n${IMPORT}\n`,
    alone: true,
  },
  E0426: {
    wrong: 'rule hide\n  on prompt\n  redact iban as pseudonym for each prompt.requested_model\n',
    right: 'rule hide\n  on prompt\n  redact iban as pseudonym for each caller.id\n',
  },
  W0401: {
    wrong:
      'detectors bank_data = iban, payment_card\n\nrule hide\n  on prompt\n  redact bank_data as mask\n  redact iban as placeholder\n',
    right: 'rule hide\n  on prompt\n  redact payment_card as mask\n  redact iban as placeholder\n',
  },
  W0402: {
    wrong: 'rule hide\n  on completion\n  redact iban as placeholder\n',
    right: 'rule hide\n  on completion\n  redact iban as mask\n',
  },
  W0403: {
    wrong: `${EMPTY_POLICY}\nrule mask_accounts\n  on prompt\n  redact iban as mask\n`,
    right: `${EMPTY_POLICY}\nmodel own "own-1" {\n  provider: llama_cpp\n  input_price: 0.02 usd per 1M tokens\n  output_price: 0.05 usd per 1M tokens\n  context: 4_096 tokens\n}\n\nrule mask_accounts\n  on prompt\n  redact iban as mask\n`,
    alone: true,
  },
  W0404: {
    wrong:
      'store notes chroma "notes" { level: classification from metadata "level" else secret }\n\nrule only_public\n  on retrieval from notes\n  withhold chunk unless chunk.level is public\n',
    right:
      'store notes chroma "notes" { level: classification from metadata "level" else secret }\n\nrule only_public\n  on retrieval from notes\n  allow chunk where chunk.level is public\n',
  },
  W0405: {
    wrong:
      'rule mask_accounts\n  on prompt\n  redact iban as mask\n  waivable by "dpo@bank.example"\n\nwaiver audit "The auditors" of mask_accounts\n  where caller.groups contains "auditors"\n  until 2026-12-14\n  owner "dpo@bank.example"\n',
    right:
      'rule mask_accounts\n  on prompt\n  redact iban as mask\n  waivable by "dpo@bank.example"\n\nwaiver audit "The auditors" of mask_accounts\n  where caller.groups contains "auditors"\n  until 2027-03-31\n  owner "dpo@bank.example"\n',
  },
  W0406: {
    wrong:
      'rule summer\n  on prompt\n  where caller.branch is linz\n  deny "Closed"\n  effective 2026-07-01 until 2026-08-31\n',
    right:
      'rule summer\n  on prompt\n  where caller.branch is linz\n  deny "Closed"\n  effective 2027-07-01 until 2027-08-31\n',
  },
  W0408: {
    wrong: 'classify prompt as highest of receipts\n',
    right: 'classify prompt as confidential where text contains any of (iban, us_ssn)\n',
  },
  W0407: {
    wrong: 'convert eur at 1.08 usd on 2099-01-02\n\nbudget europe\n  limit 100 eur per day\n',
    right: 'convert eur at 1.08 usd on 2026-01-02\n\nbudget europe\n  limit 100 eur per day\n',
  },
  W0409: {
    wrong: 'rule looked_at\n  on prompt\n  sample 2 percent for review by lawyers\n',
    right:
      'rule looked_at\n  on prompt\n  sample 2 percent for review by lawyers\n\nrule hide\n  on completion\n  redact any of (iban, email) as mask\n',
  },
} as const satisfies { readonly [code: string]: Example };
