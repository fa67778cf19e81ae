// What one mistake costs, what the fixes do, and how diagnostics look as JSON.
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check.ts';
import { diagnosticToJson, type Diagnostic } from '../../dsl/diagnostic.ts';
import { parse, SLIPS_MAX } from '../../dsl/parser.ts';
import { renderDiagnostic } from '../../dsl/render-diagnostic.ts';
import { sourceFile } from '../../dsl/source.ts';
import { CATALOG, POLICY } from '../diagnostics/check-case.ts';
import { MENDED_SLIPS } from '../diagnostics/slip-cases.ts';

const TEN = `budget graz "What Graz may spend"
  for caller.brnch is graz
  limit 4_000 tokens per month

rule cards
  on prompt
  redact payment_crad as mask

rule outside
  on prompt
  where model.site is outside
  deny

rule friends
  on prompt
  where caller.trusted and caller.branch is graz or caller.branch is linz
  deny "no"

rule classes
  on prompt
  where caller.branch is at least graz
  deny

rule bosses
  on prompt
  where caller.manager is caller.id
  deny

rule welcome
  on prompt
  allow

store notes chroma "notes" {
  title: text from metadata "title"

ruel typo
  on prompt
  deny
`;

function found(text: string): readonly Diagnostic[] {
  return checkProgram([sourceFile('policy.writ', POLICY), sourceFile('ten.writ', text)], CATALOG).diagnostics.filter(
    (each) => each.severity === 'error',
  );
}

test('ten different mistakes are ten good diagnostics', () => {
  const diagnostics = found(TEN);
  expect(diagnostics.map((each) => each.code)).toEqual([
    'E0202',
    'E0302',
    'E0201',
    'E0403',
    'E0112',
    'E0305',
    'E0306',
    'E0402',
    'E0110',
    'E0106',
  ]);
  const files = new Map([
    ['policy.writ', sourceFile('policy.writ', POLICY)],
    ['ten.writ', sourceFile('ten.writ', TEN)],
  ]);
  expect(diagnostics.map((each) => renderDiagnostic(each, files, { color: false })).join('\n')).toMatchSnapshot();
});

test('each of them has help', () => {
  for (const each of found(TEN)) expect(each.help.length, each.message).toBeGreaterThan(0);
});

describe('fixes', () => {
  /** What an editor does with the first applicable help. */
  function applied(text: string, code: string): string {
    const edits =
      found(text)
        .find((each) => each.code === code)
        ?.help.find((each) => each.edits.length > 0)?.edits ?? [];
    return [...edits]
      .sort((a, b) => b.span.start - a.span.start)
      .reduce((now, edit) => now.slice(0, edit.span.start) + edit.text + now.slice(edit.span.end), text);
  }
  const rule = (clauses: string): string => `rule r\n  on prompt\n  ${clauses}\n`;

  test.each([
    ['E0202', rule('where caller.brnch is graz\n  deny')],
    ['E0201', rule('redact payment_crad as mask')],
    ['E0201', rule('where trustet\n  deny')],
    ['E0209', rule('where caller.branch is grazz\n  deny')],
    ['E0302', rule('where prompt.tokens_estimate is above 800\n  deny')],
    ['E0302', 'budget b\n  limit 4_000 tokens per month\n'],
    ['E0306', rule('where caller.trusted or caller.manager is caller.id\n  deny')],
    ['E0308', rule('where caller.branch contains graz\n  deny')],
    ['E0311', rule('where prompt.complexity is above 1__000\n  deny')],
    ['E0403', rule('where model.site is outside\n  deny')],
    ['E0403', rule('where model.site is outside and caller.branch is graz\n  deny "not from Graz"')],
    ['E0404', rule('where prompt.sent_classification is at least secret\n  redact iban as mask')],
    ['E0410', rule('limit prompt.tokens_estimate to 500 tokens')],
    ['E0514', 'detector badge matches `B-[0-9]+`\nrule r\n  on prompt\n  redact badge as mask\n'],
    ['E0522', 'budget b\n  limit 5 usd per day in "Berlin"\n'],
    ['E0201', rule('where caller.branch is graz or linz\n  deny')],
    ['E0301', 'rule r\n  on retrieval from files\n  withhold chunk unless chunk.readers contains caller.groups\n'],
    ['E0511', 'store notes chroma "notes" {\n  title: text\n}\n'],
    ['E0106', 'ruel r\n  on prompt\n  deny\n'],
    ['E0107', 'rule r\n  on prompt\nwhere caller.trusted\n  deny\n'],
    ['E0109', rule('wehre caller.trusted\n  deny')],
    ['E0110', rule('where (caller.trusted\n  deny')],
    ['E0110', 'store notes chroma "notes" {\n  title: text from metadata "title"\n'],
    ['E0112', rule('where caller.trusted and caller.branch is graz or caller.branch is linz\n  deny')],
    ['E0102', rule('deny "no')],
  ])('%s %s', (code, text) => {
    expect(found(text).map((each) => each.code)).toContain(code);
    expect(found(applied(text, code))).toEqual([]);
  });
});

describe('usual slips', () => {
  test.each(MENDED_SLIPS)('%s', (written, meant) => {
    const diagnostics = found(written);
    expect(diagnostics.length).toBeGreaterThan(0);
    const edits = diagnostics.flatMap((each) => each.help[0]?.edits ?? []);
    const fixed = [...edits]
      .sort((a, b) => b.span.start - a.span.start)
      .reduce((now, edit) => now.slice(0, edit.span.start) + edit.text + now.slice(edit.span.end), written);
    expect(fixed).toBe(meant);
    expect(found(fixed)).toEqual([]);
  });

  test('a limit without a unit names the currency of the policy in its file', () => {
    const { diagnostics } = parse(
      sourceFile('x.writ', 'policy p {\n  currency eur\n}\nbudget b\n  limit 100 per month\n'),
    );
    expect(diagnostics.map((each) => each.help[0]?.message)).toEqual(['such as `100 eur`']);
  });

  test(`the first ${SLIPS_MAX} of a declaration are named`, () => {
    const rule = (count: number): string =>
      `rule r\n  on prompt\n  where ${Array.from({ length: count }, () => 'caller.id == "x"').join(' and ')}\n  deny\n`;
    const slips = (text: string): boolean[] => found(text).map((each) => each.message.includes('is written'));
    expect(slips(rule(SLIPS_MAX))).toEqual(Array.from({ length: SLIPS_MAX }, () => true));
    expect(slips(rule(SLIPS_MAX + 1))).toEqual([...Array.from({ length: SLIPS_MAX }, () => true), false]);
  });

  test('a word that could be a slip is a name where nothing is wrong', () => {
    expect(found('term if = caller.trusted\nrule after\n  on prompt\n  where if\n  deny\n')).toEqual([]);
  });
});

describe('recovery', () => {
  const codes = (text: string): string[] => parse(sourceFile('x.writ', text)).diagnostics.map((each) => each.code);
  const after = '\nrule good\n  on prompt\n  deny\n';

  test.each([
    ['a missing brace', 'caller {\n  id: text from claim "sub"\n'],
    ['a missing quote', 'recipient a by webhook "x\n'],
    ['a missing name', 'rule\n  on prompt\n  deny\n'],
    ['a clause that is cut off', 'rule r\n  on prompt\n  where\n  deny\n'],
    ['an effect that is cut off', 'rule r\n  on prompt\n  redact iban as\n  cites "Art. 5"\n'],
    ['a word too many', 'rule r\n  on prompt please\n  deny\n'],
    ['a closing brace too many', 'rule r\n  on prompt\n  deny }\n'],
    ['a wrong entry', 'policy p {\n  curency usd\n}\n'],
    ['an attribute without a type', 'caller {\n  id: from claim "sub"\n  x: text from claim "x"\n}\n'],
  ])('%s costs one error and not the next declaration', (_, text) => {
    const { file, diagnostics } = parse(sourceFile('x.writ', text + after));
    expect(diagnostics.map((each) => each.message)).toHaveLength(1);
    expect(file.declarations.at(-1)).toMatchObject({ kind: 'rule', name: { text: 'good' } });
  });

  test('a clause word takes reading up again: three clauses, three errors', () => {
    expect(codes('rule r\n  on prompt\n  where caller.trusted is is\n  redact as mask\n  cites 5\n  deny\n')).toEqual([
      'E0109',
      'E0109',
      'E0109',
    ]);
  });

  test('what refers to a declaration that cannot be read is not reported too', () => {
    const text =
      'store notes chroma "notes" {\n  title text from metadata "title"\n}\nrule r\n  on retrieval from notes\n  allow chunk where chunk.title is "a"\n';
    expect(found(text).map((each) => each.code)).toEqual(['E0109']);
  });

  test('no text makes the parser throw', () => {
    const words = [
      'rule',
      'r',
      'on',
      'prompt',
      'where',
      'text',
      'contains',
      '(',
      ')',
      '{',
      '}',
      '"a"',
      '"',
      '`',
      ':',
      ',',
      '5',
      'usd',
      '=',
      '|',
      '<',
      '.',
      '\n',
      '\nrule',
      'and',
      'deny',
      '§',
    ];
    let state = 7;
    for (let run = 0; run < 1000; run++) {
      const pieces: string[] = [];
      for (let index = 0; index < 12; index++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        pieces.push(words[(state >>> 16) % words.length] ?? '');
      }
      const text = pieces.join(' ');
      const { diagnostics } = checkProgram([sourceFile('p.writ', POLICY), sourceFile('x.writ', text)], CATALOG);
      for (const each of diagnostics) expect(each.span.end, text).toBeGreaterThanOrEqual(each.span.start);
    }
  });
});

test('as JSON, lines and columns count from 1', () => {
  const files = new Map([
    ['ten.writ', sourceFile('ten.writ', TEN)],
    ['policy.writ', sourceFile('policy.writ', POLICY)],
  ]);
  const first = found(TEN)[0];
  if (first === undefined) throw new Error('no diagnostic');
  expect(diagnosticToJson(first, files)).toEqual({
    code: 'E0202',
    severity: 'error',
    message: '`caller` has no attribute `brnch`',
    file: 'ten.writ',
    span: { start: { line: 2, column: 14 }, end: { line: 2, column: 19 } },
    labels: [
      {
        message: 'the attributes of `caller` are declared here',
        file: 'policy.writ',
        span: { start: { line: 14, column: 1 }, end: { line: 14, column: 7 } },
      },
    ],
    help: [
      {
        message: 'did you mean `branch`?',
        edits: [
          { file: 'ten.writ', span: { start: { line: 2, column: 14 }, end: { line: 2, column: 19 } }, text: 'branch' },
        ],
      },
    ],
  });
});
