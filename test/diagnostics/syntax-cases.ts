/** E01: the text itself. */
import type { Case } from './check-case.ts';

export const SYNTAX_CASES: readonly Case[] = [
  { code: 'E0101', source: 'rule r on prompt deny “no”\n' },
  { code: 'E0101', source: 'recipient help-desk by webhook "x"\n' },
  { code: 'E0102', source: 'rule r\n  on prompt\n  deny "no\n  cites "Art. 5"\n' },
  { code: 'E0102', source: 'detector badge matches `B-[0-9]{4}\n' },
  { code: 'E0103', source: `rule r on prompt deny "${'x'.repeat(4097)}"\n` },
  { code: 'E0104', source: `// ${'x'.repeat(1024 * 1024)}\n`, alone: true },
  { code: 'E0105', source: `term t = ${'('.repeat(33)}caller.trusted${')'.repeat(33)}\n` },
  { code: 'E0106', source: 'ruel r\n  on prompt\n  deny\n' },
  { code: 'E0106', source: 'please\n  deny everything\n' },
  { code: 'E0107', source: 'rule r\n  on prompt\nwhere caller.trusted\n  deny\n' },
  { code: 'E0108', source: 'rule r\n  on prompt\n  deny\n  rule s\n  on prompt\n  deny\n' },
  { code: 'E0109', source: 'rule r\n  on promt\n  deny\n' },
  { code: 'E0109', source: 'rule r\n  on prompt\n  wehre caller.trusted\n  deny\n' },
  { code: 'E0109', source: 'rule r\n  on prompt\n  where caller.branch =\n  deny\n' },
  { code: 'E0109', source: 'rule r\n  on prompt\n  redact iban as masked\n' },
  {
    code: 'E0110',
    source:
      'tool pay "pay" {\n  amount: money from argument "amount"\n\nrule r\n  on tool call to pay\n  where tool.amount is above 5 usd\n  deny\n',
  },
  { code: 'E0110', source: 'rule r\n  on prompt\n  where (caller.trusted\n  deny\n' },
  { code: 'E0111', source: 'rule deny\n  on prompt\n  deny\n' },
  {
    code: 'E0112',
    source: 'rule r\n  on prompt\n  where caller.trusted and caller.branch is graz or caller.branch is linz\n  deny\n',
  },
  { code: 'E0113', source: 'rule r\n  on prompt\n  prefer big\n  deny\n' },
  { code: 'E0113', source: 'rate q\n  limit 5 requests per minute in "Europe/Vienna"\n' },
  { code: 'E0114', source: 'rule r on prompt deny "C:\\dir"\n' },
];
