/** E03: types, units, numbers. */
import type { Case } from './check-case.ts';

const where = (condition: string, event = 'prompt'): string => `rule r\n  on ${event}\n  where ${condition}\n  deny\n`;

export const TYPE_CASES: readonly Case[] = [
  { code: 'E0301', source: where('caller.branch is "graz"') },
  { code: 'E0301', source: where('caller.id is chief') },
  { code: 'E0301', source: where('caller.id is prompt.tokens_estimate') },
  { code: 'E0301', source: where('caller.groups is {"a"}') },
  { code: 'E0301', source: where('text is "secret"') },
  {
    code: 'E0301',
    source: 'rule r\n  on retrieval from files\n  withhold chunk unless chunk.readers contains caller.groups\n',
  },
  { code: 'E0302', source: 'budget b\n  limit 4_000 tokens per month\n' },
  { code: 'E0302', source: where('prompt.tokens_estimate is above 800') },
  { code: 'E0302', source: where('prompt.bytes is above 3 hours') },
  { code: 'E0302', source: where('prompt.complexity is above 400 tokens') },
  { code: 'E0302', source: 'budget b\n  limit 5 eur per day\n' },
  { code: 'E0302', source: 'rate q\n  limit 5 usd per minute\n' },
  { code: 'E0303', source: 'budget b\n  limit 0.000_000_1 usd per day\n' },
  { code: 'E0303', source: where('prompt.complexity is above 4.5') },
  { code: 'E0304', source: where('prompt.complexity is above 9_007_199_254_740_992') },
  { code: 'E0304', source: 'rule r\n  on prompt\n  sample 120 percent for review by lawyers\n' },
  {
    code: 'E0304',
    source:
      'model m "m-1" {\n  provider: openai  site: inside  clearance: secret  context: 8_000 tokens  max_output: 9_000 tokens\n  input_price: 1 usd per 1M tokens  output_price: 1 usd per 1M tokens\n}\n',
  },
  { code: 'E0305', source: where('caller.branch is at least graz') },
  { code: 'E0305', source: where('caller.id is above "m"') },
  { code: 'E0306', source: where('caller.manager is caller.id') },
  { code: 'E0307', source: where('caller.id is known') },
  { code: 'E0308', source: where('caller.branch contains graz') },
  { code: 'E0308', source: where('text contains any of (iban, "", 4)') },
  { code: 'E0309', source: where('caller.id overlaps caller.groups') },
  { code: 'E0310', source: where('caller.branch') },
  { code: 'E0311', source: where('prompt.complexity is above 1__000') },
  { code: 'E0312', source: where('caller.since is above 2026-02-30') },
  { code: 'E0313', source: where('payment_card is unredacted') },
  { code: 'E0314', source: where('some m in prompt.tokens_estimate has (m.role is user)') },
  { code: 'E0315', source: where('caller.branch is in hours opening') },
  { code: 'E0316', source: where('caller.branch is in vendors') },
  { code: 'E0317', source: 'rule r\n  on prompt\n  where caller.branch is one of (caller.id, graz)\n  deny\n' },
  { code: 'E0318', source: 'tool pay "pay" { amount: mony from argument "amount" }\n' },
  { code: 'W0301', source: where('prompt.complexity is above 4_000') },
];
