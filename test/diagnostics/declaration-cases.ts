/** E05 declarations other than rules, E06 tests, E08 what the compiler refuses. */
import { EMPTY_POLICY, EXAMPLE_IMPORT } from '../../dsl/explain/example.ts';
import { type Case, POLICY } from './check-case.ts';

const IMPORTING = `${EMPTY_POLICY}import "${EXAMPLE_IMPORT.path}" at "sha256:${EXAMPLE_IMPORT.sha256}"\n`;
const model = (settings: string): string => `model m "m-1" {\n  ${settings}\n}\n`;
const COMPLETE =
  'provider: openai  site: inside  clearance: secret  context: 8_000 tokens\n  input_price: 1 usd per 1M tokens  output_price: 1 usd per 1M tokens';

export const DECLARATION_CASES: readonly Case[] = [
  { code: 'E0501', source: 'branch = vienna | graz\n', alone: true },
  { code: 'E0502', source: POLICY.slice(0, POLICY.indexOf('}') + 2) },
  {
    code: 'E0503',
    source:
      'policy bank {\n  time zone "Europe/Vienna"\n  default prompt: allow\n  default completion: allow\n  default retrieval: deny\n}\n',
    alone: true,
  },
  { code: 'E0504', source: 'only_one = this\n' },
  { code: 'E0504', source: `many = ${Array.from({ length: 65 }, (_, n) => `m${n}`).join(' | ')}\n` },
  { code: 'E0505', source: 'colour = red | green | red\n' },
  {
    code: 'E0506',
    source: POLICY.replace(
      'public < internal < confidential < secret',
      'public | internal | confidential | secret',
    ).slice(0, 330),
    alone: true,
  },
  { code: 'E0507', source: model('provider: openai') },
  { code: 'E0508', source: model(`${COMPLETE}\n  clearence: secret`) },
  { code: 'E0509', source: model(COMPLETE.replace('openai', 'opnai')) },
  { code: 'E0510', source: 'store notes croma "notes" { title: text from metadata "title" }\n' },
  { code: 'E0511', source: 'store notes chroma "notes" {\n  title: text\n  author: text from claim "author"\n}\n' },
  { code: 'E0512', source: 'tool pay "pay" { to: optional text from argument "to" else "nobody" }\n' },
  { code: 'E0513', source: 'detector badge matches `B-[0-9`\n' },
  { code: 'E0514', source: 'detector badge matches `B-[0-9]+`\n' },
  { code: 'E0514', source: 'detector badge matches `B-[0-9]{4,}`\n' },
  { code: 'E0514', source: 'detector badge matches `[a-z]{257}`\n' },
  { code: 'E0515', source: 'detector badge matches `(B-)?`\n' },
  { code: 'E0516', source: 'detector badge matches `B-[0-9]{4}` near ("") within 40 characters\n' },
  { code: 'E0516', source: 'detector badge matches `B-[0-9]{4}` near ("employee") within 3 characters\n' },
  { code: 'E0517', source: 'detector badge matches `B-[0-9]{4}` examples ("B-1234", "B-12")\n' },
  {
    code: 'E0519',
    source: 'route a\n  for requested "auto"\n  prefer big\n\nroute b\n  for requested "auto"\n  prefer own\n',
  },
  { code: 'E0519', source: 'store more chroma "files" { title: text from metadata "title" }\n' },
  {
    code: 'E0520',
    source:
      'budget b\n  limit 5 usd per day\n  at 95 percent notify desk\n  at 80 percent notify desk\n  at 101 percent notify desk\n',
  },
  { code: 'E0521', source: 'budget b\n  limit 5 usd per mont\n' },
  { code: 'E0521', source: 'rate r\n  for each caller.id\n  limit 20 requests per second\n' },
  { code: 'E0522', source: 'budget b\n  limit 5 usd per day in "Berlin"\n' },
  { code: 'E0522', source: 'budget b\n  limit 5 usd per day in "Europe/Berln"\n' },
  { code: 'E0522', source: 'budget b\n  limit 5 usd per day in "Sao Paulo"\n' },
  { code: 'E0522', source: 'budget b\n  limit 5 usd per day in "our time"\n' },
  { code: 'E0519', source: 'convert eur at 1.08 usd on 2026-01-02\nconvert eur at 1.07 usd on 2026-01-02\n' },
  { code: 'E0523', source: 'convert EUR at 1.08 usd on 2026-01-02\n' },
  { code: 'E0523', source: 'convert usd at 0.92 eur on 2026-01-02\n' },
  { code: 'E0312', source: 'convert eur at 1.08 usd on 2026-02-30\n' },
  {
    code: 'E0416',
    source: `${EMPTY_POLICY}import "../company/company.writ" at "sha256:${'0'.repeat(64)}"\n`,
    alone: true,
  },
  { code: 'E0417', source: `${EMPTY_POLICY}import "company.writ" at "sha256:${'0'.repeat(64)}"\n`, alone: true },
  { code: 'E0417', source: `${EMPTY_POLICY}import "/etc/company.writ" at "sha256:${'0'.repeat(64)}"\n`, alone: true },
  {
    code: 'E0418',
    source: `${IMPORTING}store files chroma "files" {\n}\nrule r\n  on ingest into files\n  tag seen = true\n`,
    alone: true,
  },
  { code: 'E0419', source: IMPORTING.replace('default retrieval: deny', 'default retrieval: allow'), alone: true },
  { code: 'E0524', source: `${EMPTY_POLICY}import "../company/company.writ" at "sha256:1234"\n`, alone: true },
  { code: 'E0525', source: Array.from({ length: 257 }, (_, n) => `recipient r${n} by webhook "x"`).join('\n') },
  { code: 'E0526', source: 'hours night = monday to friday 22:00 to 06:00\n' },
  { code: 'E0527', source: 'caller from "./caller.ts"\n' },
  { code: 'E0528', source: 'recipient boss by pigeon "boss"\n' },
  {
    code: 'E0801',
    source: `${POLICY.replace(' else 2020-01-01', '')}detector long matches \`.{200}\`\nrule r\n  on prompt\n  redact long as mask\n`,
    alone: true,
    compiled: true,
  },
  {
    code: 'E0802',
    source: `${POLICY.replace(' else 2020-01-01', '').replace('manager:', 'levels: set of classification from claim "levels"\n  manager:')}rule r\n  on prompt\n  where caller.levels contains prompt.classification\n  deny\n`,
    alone: true,
    compiled: true,
  },
  ...[
    'set prompt.shop to false',
    'set prompt.metadata.team to "x"',
    'set prompt.store to 1',
    'set prompt.service_tier to "fast"',
  ].map((effect): Case => ({
    code: 'E0803',
    source: `${POLICY.replace(' else 2020-01-01', '')}rule r\n  on prompt\n  ${effect}\n`,
    alone: true,
    compiled: true,
  })),
  {
    code: 'E0804',
    source: `${POLICY.replace(' else 2020-01-01', '')}rule a on prompt where caller.trusted set prompt.seed to 1\nrule b on prompt where model.site is outside set prompt.seed to 2\nrule c on prompt where model.site is inside and not (caller.trusted) set prompt.seed to 3\n`,
    alone: true,
    compiled: true,
  },
  { code: 'E0530', source: 'budget b\n  for each prompt.requested_model\n  limit 5 usd per day\n' },
  { code: 'E0530', source: 'rate r\n  for each caller.trusted\n  limit 60 requests per minute\n' },
  { code: 'E0529', source: 'tool any "*_pay" { to: text from argument "to" }\n' },
  { code: 'E0601', source: 'test "t" {\n  expect deny\n}\n' },
  { code: 'E0602', source: 'test "t" {\n  prompt to big "hello"\n  expect withheld\n}\n' },
  { code: 'W0601', source: 'test "t" {\n  prompt to big "hello"\n}\n' },
];
