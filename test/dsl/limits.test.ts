/** Every limit of the front end, at the limit and one above. */
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check.ts';
import { CONDITION_PARTS_MAX } from '../../dsl/check/conditions.ts';
import { ENUM_MEMBERS_MAX } from '../../dsl/check/enums.ts';
import { NEAR_CHARACTERS_MAX, NEAR_WORDS_MAX } from '../../dsl/check/detectors.ts';
import { HOLD_APPROVALS_MAX, MASK_KEEP_MAX } from '../../dsl/check/effects.ts';
import { DECLARATIONS_MAX, MODELS_MAX, RULES_MAX } from '../../dsl/check/names.ts';
import { LIST_ENTRIES_MAX } from '../../dsl/check/people-and-lists.ts';
import { DECIMAL_DIGITS_MAX } from '../../dsl/check/types.ts';
import { SET_ELEMENTS_MAX } from '../../dsl/check/values.ts';
import { TEXT_BYTES_MAX } from '../../dsl/lexer.ts';
import { NESTING_DEPTH_MAX } from '../../dsl/parser.ts';
import { PATTERN_LENGTH_MAX } from '../../dsl/pattern.ts';
import { FILE_BYTES_MAX, sourceFile } from '../../dsl/source.ts';
import { CATALOG, POLICY } from '../diagnostics/check-case.ts';

const MODEL =
  'provider: openai  site: inside  clearance: secret  context: 8 tokens  input_price: 1 usd per 1 tokens  output_price: 1 usd per 1 tokens';
const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join('');
const rule = (clauses: string): string => `rule r\n  on prompt\n  ${clauses}\n`;
const declaredModels = 2;
const declaredRules = 1;

const LIMITS: readonly (readonly [name: string, code: string, max: number, source: (count: number) => string])[] = [
  ['bytes of a file', 'E0104', FILE_BYTES_MAX, (count) => `//${'x'.repeat(count - 2)}`],
  [
    'bytes of a text',
    'E0103',
    TEXT_BYTES_MAX,
    (count) => rule(`deny "${'ü'.repeat(Math.floor(count / 2))}${'x'.repeat(count % 2)}"`),
  ],
  [
    'levels of nesting',
    'E0105',
    NESTING_DEPTH_MAX,
    (count) => rule(`where ${'('.repeat(count)}caller.trusted${')'.repeat(count)}\n  deny`),
  ],
  [
    'parts of a condition',
    'E0211',
    CONDITION_PARTS_MAX,
    (count) => rule(`where ${Array.from({ length: count - 1 }, () => 'caller.trusted').join(' and ')}\n  deny`),
  ],
  [
    'members of an enum',
    'E0504',
    ENUM_MEMBERS_MAX,
    (count) => `e = ${Array.from({ length: count }, (_, index) => `m${index}`).join(' | ')}\n`,
  ],
  [
    'models',
    'E0525',
    MODELS_MAX - declaredModels,
    (count) => many(count, (index) => `model m${index} "m-${index}" { ${MODEL} }\n`),
  ],
  ['rules', 'E0525', RULES_MAX - declaredRules, (count) => many(count, (index) => `rule r${index} on prompt deny\n`)],
  [
    'other declarations',
    'E0525',
    DECLARATIONS_MAX,
    (count) => many(count, (index) => `term t${index} = caller.trusted\n`),
  ],
  [
    'elements of a set',
    'E0304',
    SET_ELEMENTS_MAX,
    (count) =>
      rule(
        `where caller.groups overlaps {${Array.from({ length: count }, (_, index) => `"${index}"`).join(', ')}}\n  deny`,
      ),
  ],
  [
    'digits of a decimal',
    'E0304',
    DECIMAL_DIGITS_MAX,
    (count) => `tool t "t" { x: decimal with ${count} digits from argument "x" }\n`,
  ],
  ['characters of a match', 'E0514', PATTERN_LENGTH_MAX, (count) => `detector d matches \`a{${count}}\`\n`],
  [
    'words of near',
    'E0516',
    NEAR_WORDS_MAX,
    (count) =>
      `detector d matches \`a\` near (${Array.from({ length: count }, () => '"w"').join(', ')}) within 5 characters\n`,
  ],
  [
    'distance of near',
    'E0304',
    NEAR_CHARACTERS_MAX,
    (count) => `detector d matches \`a\` near ("w") within ${count} characters\n`,
  ],
  [
    'entries of a list',
    'E0304',
    LIST_ENTRIES_MAX,
    (count) => `list l of text from "l" max age 1 day max entries ${count}\n`,
  ],
  [
    'approvals',
    'E0409',
    HOLD_APPROVALS_MAX,
    (count) => rule(`hold for review by ${count} of lawyers up to 1 hour else deny`),
  ],
  [
    'characters that a mask keeps',
    'E0304',
    MASK_KEEP_MAX,
    (count) => rule(`redact iban as mask keeping last ${count}`),
  ],
  [
    'percent of a budget',
    'E0520',
    100,
    (count) => `budget b\n  limit 5 usd per day\n  at ${count} percent notify desk\n`,
  ],
  [
    'an integer',
    'E0304',
    Number.MAX_SAFE_INTEGER,
    (count) =>
      rule(`where prompt.complexity is ${count === Number.MAX_SAFE_INTEGER ? count : '9007199254740992'}\n  deny`),
  ],
];

function errors(source: string): string[] {
  const { diagnostics } = checkProgram([sourceFile('policy.writ', POLICY), sourceFile('x.writ', source)], CATALOG);
  return diagnostics.filter((each) => each.severity === 'error').map((each) => each.code);
}

describe.each(LIMITS)('%s', (_, code, max, source) => {
  test('at the limit', () => {
    expect(errors(source(max))).toEqual([]);
  });

  test('one above', () => {
    expect([...new Set(errors(source(max + 1)))]).toEqual([code]);
  });
});
