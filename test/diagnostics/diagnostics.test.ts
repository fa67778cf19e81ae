// Every diagnostic code: at least one case, a snapshot of source and message, and the form of the words.
import { describe, expect, test } from 'vitest';
import { type DiagnosticCode, DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { exampleOf } from '../../dsl/explain/examples.ts';
import { type Case, diagnosticsOf, POLICY, render } from './check-case.ts';
import { DECLARATION_CASES } from './declaration-cases.ts';
import { NAME_CASES } from './name-cases.ts';
import { RULE_CASES } from './rule-cases.ts';
import { SLIP_CASES } from './slip-cases.ts';
import { SYNTAX_CASES } from './syntax-cases.ts';
import { TYPE_CASES } from './type-cases.ts';
import { UNENFORCED_CASES } from '../../dsl/explain/unenforced.ts';

const CASES: readonly Case[] = [
  ...SYNTAX_CASES,
  ...SLIP_CASES,
  ...NAME_CASES,
  ...TYPE_CASES,
  ...RULE_CASES,
  ...DECLARATION_CASES,
  ...UNENFORCED_CASES,
];

describe.each(Object.keys(DIAGNOSTICS))('%s', (code) => {
  const cases = CASES.filter((each) => each.code === code);

  test('has an example', () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  test.each(cases)('$source', (given) => {
    const { found } = diagnosticsOf(given);
    expect(found.map((each) => each.code)).toContain(code);
    expect(render(given)).toMatchSnapshot();
  });
});

// What `writ check --explain` and the book show of a code.
describe.each(Object.keys(DIAGNOSTICS) as DiagnosticCode[])('the example of %s', (code) => {
  const { wrong, right, ...how } = exampleOf(code);

  test('gets this diagnostic and no other', () => {
    const { found } = diagnosticsOf({ code, source: wrong, ...how });
    // What is not enforced yet may be of two forms at once: a record of an exchange.
    const codes = new Set(found.map((each) => each.code).filter((each) => each === code || !each.startsWith('E09')));
    expect([...codes]).toEqual([code]);
  });

  test('gets none once it is mended', () => {
    // A form that is not enforced yet is mended by leaving it out: nothing of it is left to check.
    const { found } = diagnosticsOf({ code, source: right ?? '', ...how });
    expect(found.map((each) => each.message)).toEqual([]);
  });
});

test('the policy beside the cases has no mistake of its own', () => {
  const { found } = diagnosticsOf({ code: 'E0101', source: POLICY, alone: true });
  expect(found).toEqual([]);
});

test.each(Object.entries(DIAGNOSTICS))('%s is described in words', (_, { title, explanation }) => {
  expect(title).toMatch(/^[^A-Z\n.]/);
  expect(title).not.toMatch(/\.$/);
  expect(explanation).toMatch(/[.]$/);
});

test.each(CASES)('a message is one line without a full stop: $code $source', (given) => {
  for (const each of diagnosticsOf(given).found) {
    expect(each.message).not.toMatch(/\n|\.$/);
    expect(each.message).toMatch(/^[^A-Z]/);
    expect(each.span.end).toBeGreaterThanOrEqual(each.span.start);
  }
});
