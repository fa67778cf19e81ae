/** E02: names; W02. */
import type { Case } from './check-case.ts';

const rule = (clauses: string, event = 'prompt'): string => `rule r\n  on ${event}\n  ${clauses}\n`;

export const NAME_CASES: readonly Case[] = [
  { code: 'E0201', source: rule('where switch stop_al\n  deny') },
  { code: 'E0201', source: rule('redact payment_crad as mask') },
  { code: 'E0201', source: rule('where trustet\n  deny') },
  { code: 'E0201', source: rule('where model is bigg\n  notify desk', 'completion') },
  { code: 'E0201', source: rule('withhold chunk unless chunk.level is at most internal', 'retrieval from file') },
  { code: 'E0201', source: rule('hold for review by 1 of lawyer up to 2 hours else deny') },
  { code: 'E0201', source: rule('where callr.trusted\n  deny') },
  { code: 'E0201', source: rule('where conversation.turns is above 50\n  deny') },
  { code: 'E0201', source: 'test "t" {\n  prompt to big "hi"\n  expect deny by bass\n}\n' },
  { code: 'E0201', source: 'delegate to graz where caller.branch is graz may alow\n' },
  { code: 'E0201', source: rule('where caller.branch is graz or linz\n  deny') },
  {
    code: 'E0201',
    source: rule('where caller.trusted and (caller.branch is not graz or linz or caller.trusted)\n  deny'),
  },
  { code: 'E0201', source: rule('where model is big or own\n  notify desk', 'completion') },
  { code: 'E0202', source: rule('where caller.brnch is graz\n  deny') },
  { code: 'E0202', source: rule('allow chunk where chunk.owner is caller.id', 'retrieval from files') },
  { code: 'E0202', source: rule('where caller.branch.city is graz\n  deny') },
  { code: 'E0203', source: `${rule('deny')}${rule('deny')}` },
  {
    code: 'E0203',
    source:
      'model again "big-1" {\n  provider: openai  site: inside  clearance: secret  context: 1 tokens\n  input_price: 1 usd per 1M tokens  output_price: 1 usd per 1M tokens\n}\n',
  },
  { code: 'E0203', source: 'tool again "transfer_*" { to: text from argument "to" }\n' },
  { code: 'E0203', source: 'caller { level: text from claim "level" }\n' },
  { code: 'E0204', source: 'detector email matches `a@b`\n' },
  { code: 'E0204', source: 'models { context: tokens }\n', alone: true },
  { code: 'E0205', source: `term a = b\nterm b = a and caller.trusted\n${rule('where a\n  deny')}` },
  { code: 'E0206', source: 'detectors first = email, second\ndetectors second = iban, first\n' },
  { code: 'E0207', source: rule('where completion.tokens is above 5 tokens\n  deny') },
  { code: 'E0207', source: 'waiver w "W" of base\n  where prompt.stream\n  until 2030-01-01\n  owner "x"\n' },
  { code: 'E0208', source: 'budget b\n  limit 5 dollar per month\n' },
  { code: 'E0209', source: rule('where caller.branch is grazz\n  deny') },
  { code: 'E0209', source: rule('where caller.branch is inside\n  deny') },
  {
    code: 'E0211',
    source: `${Array.from({ length: 14 }, (_, n) => `term t${n + 1} = t${n} and not (t${n})`).join('\n')}\nterm t0 = caller.trusted\n${rule('where t14\n  deny')}`,
  },
  { code: 'W0210', source: 'term unused_one = caller.trusted\n' },
];
