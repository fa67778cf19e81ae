/** E04: rules. */
import type { Case } from './check-case.ts';

const rule = (clauses: string, event = 'prompt'): string => `rule r\n  on ${event}\n  ${clauses}\n`;

/** A policy that declares neither a model nor a store. */
const withoutEvents = (more: string): string =>
  `policy p {\n  currency usd\n  time zone "UTC"\n  default prompt: allow\n  default completion: allow\n  default retrieval: deny\n  default ingest: deny\n  on failure: deny\n}\ncaller { id: text from claim "sub" }\n${more}`;

export const RULE_CASES: readonly Case[] = [
  { code: 'E0401', source: rule('keep newest chunk.version for each chunk.name', 'completion') },
  { code: 'E0401', source: rule('use only models where model.site is inside', 'retrieval') },
  { code: 'E0402', source: rule('where caller.trusted\n  allow') },
  { code: 'E0403', source: rule('where model.site is outside\n  deny') },
  { code: 'E0403', source: rule('where model.site is outside and caller.branch is graz\n  deny "not from Graz"') },
  {
    code: 'E0404',
    source: 'budget b for prompt.sent_classification is secret limit 1 usd per day in "UTC" else deny "no"\n',
  },
  { code: 'E0404', source: rule('where prompt.sent_classification is at least secret\n  redact iban as mask') },
  { code: 'E0405', source: rule('where caller.trusted\n  cites "Art. 5"') },
  { code: 'E0406', source: rule('where caller.trusted\n  where caller.branch is graz\n  deny') },
  { code: 'E0407', source: 'budget b "No limit"\n  for caller.branch is graz\n' },
  { code: 'E0407', source: 'route fast\n  for requested "fast"\n' },
  { code: 'E0408', source: rule('deny', 'completion from files') },
  { code: 'E0409', source: rule('hold for review by 0 of lawyers up to 2 hours else deny') },
  { code: 'E0410', source: rule('limit prompt.tokens_estimate to 500 tokens') },
  { code: 'E0411', source: rule('deny\n  effective 2026-06-01 until 2026-05-01') },
  { code: 'E0412', source: 'waiver audit "Auditors" of base\n  until 2030-01-01\n  owner "dpo@bank.example"\n' },
  {
    code: 'E0415',
    source: `${rule('allow chunk where chunk.level is internal\n  keep newest chunk.version for each chunk.name\n  waivable by "dpo"', 'retrieval from files')}\nwaiver w "Exception" of r\n  until 2030-01-01\n  owner "dpo"\n`,
  },
  { code: 'E0414', source: 'classify prompt as secret where model.site is outside\n' },
  {
    code: 'E0414',
    source: 'classify prompt as secret where prompt.classification is confidential and text contains iban\n',
  },
  { code: 'E0426', source: rule('redact iban as pseudonym for each prompt.requested_model') },
  { code: 'E0413', source: rule('keep newest chunk.name for each chunk.version', 'retrieval from files') },
  {
    code: 'W0401',
    source:
      'detectors secrets = iban, email\nrule r\n  on prompt\n  redact secrets as mask\n  redact email as placeholder\n  redact iban as mask\n',
  },
  { code: 'W0402', source: rule('redact iban as placeholder', 'completion') },
  {
    code: 'W0403',
    source: withoutEvents('rule r\n  on prompt\n  deny\nrule s\n  on ingest\n  deny\n'),
    alone: true,
  },
  {
    code: 'W0405',
    source: `${rule('deny\n  waivable by "dpo"')}\nwaiver w "Exception" of r\n  until 2026-12-14\n  owner "dpo@bank.example"\n`,
  },
  {
    code: 'W0406',
    source: `${rule('deny\n  effective 2026-01-01 until 2026-11-29\n  waivable by "dpo"')}\nwaiver w "Exception" of r\n  until 2026-11-30\n  owner "dpo@bank.example"\n`,
  },
  {
    code: 'W0407',
    source: `convert eur at 1.08 usd on 2026-12-02\nconvert eur at 1.07 usd on 2026-12-01\nbudget b\n  limit 5 eur per day\n`,
  },
  {
    code: 'W0409',
    source: `${rule('sample 2 percent for review by lawyers\n  record exchange for 5 years')}rule s\n  on prompt\n  hold for review by 1 of lawyers up to 1 hour else deny\n`,
  },
  {
    code: 'W0404',
    source:
      'store more chroma "more" { level: classification from metadata "level" else secret }\nrule r\n  on retrieval from more\n  withhold chunk unless chunk.level is public\n',
  },
  { code: 'W0408', source: 'classify prompt as highest of receipts\n' },
  {
    code: 'W0501',
    source: withoutEvents(
      'model free "free-1" {\n  provider: llama_cpp  context: 4_096 tokens\n  input_price: 0 usd per 1M tokens  output_price: 0 usd per 1M tokens\n}\nbudget all\n  limit 5 usd per day\n',
    ),
    alone: true,
  },
];
