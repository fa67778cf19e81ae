// The typed program: what is in it, in which order, and where an optional attribute may be used.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check.ts';
import { parse } from '../../dsl/parser.ts';
import { print } from '../../dsl/print.ts';
import type { Program } from '../../dsl/program.ts';
import { sourceFile } from '../../dsl/source.ts';
import { UNENFORCED_FORMS } from '../../dsl/unenforced.ts';
import { CATALOG, POLICY } from '../diagnostics/check-case.ts';

// What it imports is somebody else's, and not there: imports.test.ts is about that.
const BANK = readFileSync(new URL('./forms/bank.writ', import.meta.url), 'utf8').replace(/^import .*\n/m, '');

function checked(...texts: readonly string[]): Program {
  const { program, diagnostics } = checkProgram(
    texts.map((text, index) => sourceFile(`f${index}.writ`, text)),
    CATALOG,
  );
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([]);
  if (program === null) throw new Error('no program');
  return program;
}

function withoutSpans(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSpans);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !['span', 'nameSpan', 'declared'].includes(key))
      .map(([key, each]) => [key, withoutSpans(each)]),
  );
}

/** Declarations as texts of their own. */
function declarationsOf(text: string): string[] {
  const source = sourceFile('x.writ', text);
  const { file } = parse(source);
  return file.declarations.map((declaration) => print({ ...file, comments: [], declarations: [declaration] }, null));
}

describe('every form', () => {
  test('is checked with a word on receipts alone', () => {
    const { program, diagnostics } = checkProgram([sourceFile('bank.writ', BANK)], CATALOG);
    expect(diagnostics.map(({ code }) => code)).toEqual(['W0408']);
    expect(program).not.toBeNull();
  });

  test('is listed where nothing enforces it', () => {
    const used = new Set(checked(BANK).unenforced.map((use) => use.form));
    expect([...used].sort()).toEqual(Object.keys(UNENFORCED_FORMS).sort());
  });

  test('gives the program that is kept', () => {
    expect(withoutSpans(checked(BANK))).toMatchSnapshot();
  });
});

test('a budget may be for a term alone', () => {
  const budget = 'budget all\n  for trusted_ones\n  limit 1 usd per day\n  else deny "Used up"\n';
  const { budgets } = checked(POLICY, 'term trusted_ones = caller.trusted\n', budget);
  expect(budgets[0]?.for?.kind).toBe('isTrue');
});

describe('canonical order', () => {
  const whole = withoutSpans(checked(BANK));
  const pieces = declarationsOf(BANK);

  test('any order of declarations is the same program', () => {
    for (let turn = 1; turn < pieces.length; turn += 5) {
      const turned = [...pieces.slice(turn), ...pieces.slice(0, turn)].reverse();
      expect(withoutSpans(checked(turned.join('\n')))).toEqual(whole);
    }
  });

  test('any layout of files is the same program', () => {
    expect(withoutSpans(checked(...pieces))).toEqual(whole);
    expect(
      withoutSpans(
        checked(
          pieces.filter((_, index) => index % 2 === 0).join('\n'),
          pieces.filter((_, index) => index % 2 === 1).join('\n'),
        ),
      ),
    ).toEqual(whole);
  });

  test('spans name the file and place of what they stand for', () => {
    for (const rule of checked(BANK).rules) expect(BANK.slice(rule.nameSpan.start, rule.nameSpan.end)).toBe(rule.name);
  });
});

describe('values', () => {
  const rule = (condition: string): string => `rule r\n  on prompt\n  where ${condition}\n  deny\n`;
  const whereOf = (source: string): unknown =>
    withoutSpans(checked(POLICY, source).rules.find((each) => each.name === 'r')?.where);

  test.each([
    ['prompt.tokens_estimate is above 1_000 tokens', { kind: 'tokens', value: 1000 }],
    ['prompt.bytes is above 2 mib', { kind: 'bytes', value: 2_097_152 }],
    ['prompt.complexity is above 400', { kind: 'int', value: 400 }],
    [
      'prompt.classification is above internal',
      { kind: 'member', enum: 'classification', name: 'internal', ordinal: 1 },
    ],
    ['caller.since is above 2026-01-31 09:30', { kind: 'time', iso: '2026-01-31T09:30' }],
    ['caller.branch is graz', { kind: 'member', enum: 'branch', name: 'graz', ordinal: 1 }],
  ])('%s', (condition, value) => {
    expect(whereOf(rule(condition))).toMatchObject({ kind: 'compare', right: { kind: 'literal', value } });
  });

  test('money is exact micro-units, prices per their number of tokens', () => {
    const { budgets, models } = checked(POLICY, 'budget b\n  limit 4_000.000_001 usd per month\n');
    expect(budgets[0]?.limit).toEqual({ kind: 'money', micros: 4_000_000_001, currency: 'usd' });
    expect(models.find((model) => model.name === 'own')?.inputPrice).toBe(20_000);
  });

  test('another currency is converted at its rate, rounded up', () => {
    const { budgets } = checked(
      POLICY,
      'convert eur at 1.000_001 usd on 2026-01-02\nbudget b\n  limit 0.000_001 eur per day\n',
    );
    expect(budgets[0]?.limit).toEqual({ kind: 'money', micros: 2, currency: 'usd' });
  });

  test('a term is replaced by its text, with the place of its use', () => {
    const source = 'term t = caller.trusted and caller.branch is graz\nrule r\n  on prompt\n  where t\n  deny\n';
    const where = checked(POLICY, source).rules.find((each) => each.name === 'r')?.where;
    expect(where).toMatchObject({ kind: 'and', operands: [{ kind: 'isTrue' }, { kind: 'compare' }] });
    const at = source.indexOf('where t') + 6;
    expect(where?.span).toEqual({ file: 'f1.writ', start: at, end: at + 1 });
  });

  test('`is not` is `not` of the positive form', () => {
    expect(whereOf(rule('caller.branch is not graz'))).toMatchObject({
      kind: 'not',
      operand: { kind: 'compare', operator: 'is' },
    });
  });

  test('groups become their detectors, in order, once each', () => {
    const { usedDetectors, rules } = checked(
      POLICY,
      'detectors inner = iban, email\ndetectors outer = phone, inner, email\nrule r\n  on prompt\n  redact outer as mask\n',
    );
    expect(rules.find((each) => each.name === 'r')?.effects).toMatchObject([
      { kind: 'redact', detectors: ['email', 'iban', 'phone'] },
    ]);
    expect(usedDetectors).toEqual(['email', 'iban', 'phone']);
  });

  test('detectors and words in one list are alternatives', () => {
    expect(whereOf(rule('text contains any of (iban, "falcon")'))).toMatchObject({
      kind: 'or',
      operands: [{ kind: 'containsDetector' }, { kind: 'containsWords', words: ['falcon'] }],
    });
  });
});

describe('optional attributes', () => {
  const errors = (condition: string, more = ''): string[] => {
    const { diagnostics } = checkProgram(
      [
        sourceFile('p.writ', POLICY),
        sourceFile('r.writ', `${more}rule r\n  on prompt\n  where ${condition}\n  deny\n`),
      ],
      CATALOG,
    );
    return diagnostics.filter((each) => each.severity === 'error').map((each) => each.code);
  };

  test.each([
    'caller.manager is known and caller.manager is caller.id',
    'caller.manager is caller.id and caller.manager is known',
    'caller.manager is not known or caller.manager is caller.id',
    'not (caller.manager is not known or caller.manager is caller.id)',
    'caller.manager is known and (caller.trusted or caller.manager is caller.id)',
    'caller.trusted\n  unless caller.manager is not known or caller.manager is caller.id',
  ])('usable: %s', (condition) => {
    expect(errors(condition)).toEqual([]);
  });

  test('a term may say that it is known', () => {
    expect(errors('managed and caller.manager is caller.id', 'term managed = caller.manager is known\n')).toEqual([]);
  });

  test.each([
    'caller.manager is known or caller.manager is caller.id',
    'caller.manager is not known and caller.manager is caller.id',
    'not (caller.manager is known and caller.trusted) and caller.manager is caller.id',
    'caller.trusted\n  unless caller.manager is caller.id',
  ])('not usable: %s', (condition) => {
    expect(errors(condition)).toEqual(['E0306']);
  });
});
