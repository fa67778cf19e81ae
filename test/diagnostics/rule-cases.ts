/** E04: rules. */
import type { Case } from './check-case.ts';

const rule = (clauses: string, event = 'prompt'): string => `rule r\n  on ${event}\n  ${clauses}\n`;

export const RULE_CASES: readonly Case[] = [
  { code: 'E0401', source: rule('keep newest chunk.version for each chunk.name', 'completion') },
  { code: 'E0401', source: rule('use only models where model.site is inside', 'retrieval') },
  { code: 'E0402', source: rule('where caller.trusted\n  allow') },
  { code: 'E0403', source: rule('where model.site is outside\n  deny') },
  { code: 'E0403', source: rule('where model.site is outside and caller.branch is graz\n  deny "not from Graz"') },
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
  { code: 'E0414', source: 'classify prompt as secret where model.site is outside\n' },
  {
    code: 'E0414',
    source: 'classify prompt as secret where prompt.classification is confidential and text contains iban\n',
  },
  { code: 'E0413', source: rule('keep newest chunk.name for each chunk.version', 'retrieval from files') },
  {
    code: 'W0401',
    source:
      'detectors secrets = iban, email\nrule r\n  on prompt\n  redact secrets as mask\n  redact email as placeholder\n  redact iban as mask\n',
  },
];
