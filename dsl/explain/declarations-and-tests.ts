/** Examples of E05, W05 (declarations other than rules), E06, W06 (tests) and E08 (what the compiler finds). */
import { EMPTY_POLICY, type Example, EXAMPLE_IMPORT } from './example.ts';

const model = (settings: string): string => `model spare "spare-1" {\n  ${settings}\n}\n`;
const ABOUT = 'site: inside\n  clearance: secret';
const PRICES = 'input_price: 1 usd per 1M tokens\n  output_price: 1 usd per 1M tokens';
const SPARE = model(`provider: openai\n  ${ABOUT}\n  ${PRICES}\n  context: 8_000 tokens`);

const free = (price: string): string =>
  `${EMPTY_POLICY}\nmodel own "own-1" {\n  provider: llama_cpp\n  input_price: ${price} usd per 1M tokens\n  output_price: ${price} usd per 1M tokens\n  context: 4_096 tokens\n}\n\nbudget all\n  limit 5 usd per day\n`;

/** With a model, so that there are prompts. */
const WITH_MODEL = `${EMPTY_POLICY}
model own "own-1" {
  provider: llama_cpp
  input_price: 0.02 usd per 1M tokens
  output_price: 0.05 usd per 1M tokens
  context: 4_096 tokens
}
`;

/** With classes, of which a caller may have several. */
const WITH_LEVELS = `classification = public < internal < secret

${WITH_MODEL.replace('  on failure', '  base classification: internal\n  on failure').replace(
  'claim "sub"\n',
  'claim "sub"\n  levels: set of classification from claim "levels"\n',
)}`;

export const DECLARATION_AND_TEST_EXAMPLES = {
  E0501: { wrong: 'branch = vienna | graz\n', right: `${EMPTY_POLICY}\nbranch = vienna | graz\n`, alone: true },
  E0502: {
    wrong: `${EMPTY_POLICY}\npolicy bank_in_graz {\n  currency usd\n}\n`,
    right: EMPTY_POLICY,
    alone: true,
  },
  E0503: { wrong: EMPTY_POLICY.replace('  on failure: deny\n', ''), right: EMPTY_POLICY, alone: true },
  E0504: { wrong: 'currency_area = euro\n', right: 'currency_area = euro | other\n' },
  E0505: { wrong: 'colour = red | green | red\n', right: 'colour = red | green | blue\n' },
  E0506: {
    wrong: `${EMPTY_POLICY.replace('  on failure', '  base classification: internal\n  on failure')}\nclassification = public | internal | secret\n`,
    right: `${EMPTY_POLICY.replace('  on failure', '  base classification: internal\n  on failure')}\nclassification = public < internal < secret\n`,
    alone: true,
  },
  E0507: { wrong: model(`provider: openai\n  ${ABOUT}\n  ${PRICES}`), right: SPARE },
  E0508: { wrong: SPARE.replace('clearance', 'colour: red\n  clearance'), right: SPARE },
  E0509: { wrong: SPARE.replace('openai', 'opnai'), right: SPARE },
  E0510: {
    wrong: 'store notes croma "notes" { title: text from metadata "title" }\n',
    right: 'store notes chroma "notes" { title: text from metadata "title" }\n',
  },
  E0511: {
    wrong: 'store notes chroma "notes" { title: text }\n',
    right: 'store notes chroma "notes" { title: text from metadata "title" }\n',
  },
  E0512: {
    wrong: 'tool pay "pay" { to: optional text from argument "to" else "nobody" }\n',
    right: 'tool pay "pay" { to: text from argument "to" else "nobody" }\n',
  },
  E0513: { wrong: 'detector badge matches `B-[0-9`\n', right: 'detector badge matches `B-[0-9]`\n' },
  E0514: { wrong: 'detector badge matches `B-[0-9]+`\n', right: 'detector badge matches `B-[0-9]{4,8}`\n' },
  E0515: { wrong: 'detector badge matches `(B-)?`\n', right: 'detector badge matches `(B-)?[0-9]{6}`\n' },
  E0516: {
    wrong: 'detector badge matches `B-[0-9]{4}` near ("badge") within 3 characters\n',
    right: 'detector badge matches `B-[0-9]{4}` near ("badge") within 40 characters\n',
  },
  E0517: {
    wrong: 'detector badge matches `B-[0-9]{4}` examples ("B-1234", "B-12")\n',
    right: 'detector badge matches `B-[0-9]{4}` examples ("B-1234", "B-0012")\n',
  },
  E0519: {
    wrong: 'route first\n  for requested "auto"\n  prefer big\n\nroute second\n  for requested "auto"\n  prefer own\n',
    right: 'route first\n  for requested "auto"\n  prefer big\n\nroute second\n  for requested "small"\n  prefer own\n',
  },
  E0520: {
    wrong:
      'budget all\n  limit 500 usd per month\n  at 95 percent use only models where model.site is inside\n  at 80 percent use only models where model.clearance is secret\n',
    right:
      'budget all\n  limit 500 usd per month\n  at 80 percent use only models where model.clearance is secret\n  at 95 percent use only models where model.site is inside\n',
  },
  E0521: { wrong: 'budget all\n  limit 500 usd per mont\n', right: 'budget all\n  limit 500 usd per month\n' },
  E0522: {
    wrong: 'budget all\n  limit 500 usd per month in "Berlin"\n',
    right: 'budget all\n  limit 500 usd per month in "Europe/Berlin"\n',
  },
  E0523: {
    wrong: 'convert EUR at 1.08 usd on 2026-01-02\n',
    right: 'convert eur at 1.08 usd on 2026-01-02\n\nbudget all\n  limit 500 eur per month\n',
  },
  E0524: {
    wrong: `${EMPTY_POLICY}\nimport "${EXAMPLE_IMPORT.path}" at "sha256:1234"\n`,
    right: `${EMPTY_POLICY}\nimport "${EXAMPLE_IMPORT.path}" at "sha256:${EXAMPLE_IMPORT.sha256}"\n`,
    alone: true,
  },
  E0525: {
    wrong: `${Array.from({ length: 257 }, (_, n) => `recipient desk_${n} by webhook "desk-${n}"`).join('\n')}\n`,
    right: 'recipient desk_0 by webhook "desk-0"\n',
  },
  E0526: {
    wrong: 'hours night = monday to friday 22:00 to 06:00\n',
    right: 'hours night = monday to friday 22:00 to 24:00, tuesday to saturday 00:00 to 06:00\n',
  },
  E0527: {
    wrong: `${EMPTY_POLICY.slice(0, EMPTY_POLICY.indexOf('caller'))}caller from "./caller.ts"\n`,
    right: EMPTY_POLICY,
    alone: true,
  },
  E0528: { wrong: 'recipient board by pigeon "board"\n', right: 'recipient board by webhook "board"\n' },
  E0529: {
    wrong: 'tool pay "*_pay" { to: text from argument "to" }\n',
    right: 'tool pay "pay_*" { to: text from argument "to" }\n',
  },
  E0530: {
    wrong: 'budget each_model\n  for each prompt.requested_model\n  limit 5 usd per day\n',
    right: 'budget each_person\n  for each caller.id\n  limit 5 usd per day\n',
  },
  W0501: { wrong: free('0'), right: free('0.02'), alone: true },
  E0601: {
    wrong: 'test "nothing is sent" {\n  expect allow\n}\n',
    right: 'test "a greeting is sent" {\n  prompt to big "Hello"\n  expect allow\n}\n',
  },
  E0602: {
    wrong: 'test "a greeting" {\n  prompt to big "Hello"\n  expect withheld\n}\n',
    right: 'test "a greeting" {\n  prompt to big "Hello"\n  expect allow\n}\n',
  },
  W0601: {
    wrong: 'test "a greeting" {\n  prompt to big "Hello"\n}\n',
    right: 'test "a greeting" {\n  prompt to big "Hello"\n  expect allow\n}\n',
  },
  E0801: {
    wrong: `${WITH_MODEL}\ndetector anything matches \`.{200}\`\n\nrule hide\n  on prompt\n  redact anything as mask\n`,
    right: `${WITH_MODEL}\ndetector badge matches \`B-[0-9]{4}\`\n\nrule hide\n  on prompt\n  redact badge as mask\n`,
    alone: true,
    compiled: true,
  },
  E0802: {
    wrong: `${WITH_LEVELS}\nrule levels\n  on prompt\n  where caller.levels contains prompt.classification\n  deny\n`,
    right: `${WITH_LEVELS}\nrule levels\n  on prompt\n  where caller.levels contains secret\n  deny\n`,
    alone: true,
    compiled: true,
  },
  E0803: {
    wrong: `${WITH_MODEL}\nrule no_training\n  on prompt\n  set prompt.stored to false\n`,
    right: `${WITH_MODEL}\nrule no_training\n  on prompt\n  set prompt.store to false\n`,
    alone: true,
    compiled: true,
  },
  E0804: {
    wrong: `${WITH_MODEL}\nrule steady\n  on prompt\n  set prompt.temperature to 0\n\nrule lively\n  on prompt\n  where text contains "poem"\n  set prompt.temperature to 1\n`,
    right: `${WITH_MODEL}\nrule steady\n  on prompt\n  unless text contains "poem"\n  set prompt.temperature to 0\n\nrule lively\n  on prompt\n  where text contains "poem"\n  set prompt.temperature to 1\n`,
    alone: true,
    compiled: true,
  },
} as const satisfies { readonly [code: string]: Example };
