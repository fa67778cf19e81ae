// The language reference: every form of the grammar has its page; and every example on every page of the book is checked.
import { describe, expect, test } from 'vitest';
import { CLAUSE_WORDING, EFFECT_KINDS } from '../../dsl/grammar/clauses-of.ts';
import { DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { BUILT_IN_ATTRIBUTES, EVENT_KINDS, EVENT_WORDING } from '../../dsl/events.ts';
import { checkExample } from '../../examples/book/check-example.ts';
import { WRIT_BLOCK } from '../../examples/book/page.ts';
import { bookPages } from '../../examples/book/pages.ts';
import { DECLARATIONS } from '../../examples/book/reference/declarations.ts';
import { allForms, formOf, formOfEffect, inLines } from '../../examples/book/reference/forms.ts';
import { referencePages } from '../../examples/book/reference/pages.ts';
import { detectors } from '../../filters/detectors/detectors.ts';

const REFERENCE = referencePages();
const PAGES = bookPages();

const titles = (group: string): string[] => REFERENCE.filter((page) => page.group === group).map((page) => page.title);

test('every declaration, effect and event has its page, and every page its own address', () => {
  expect(titles('Declarations')).toEqual(Object.keys(DECLARATIONS).filter((kind) => kind !== 'callerFrom'));
  expect(titles('Effects').sort()).toEqual(EFFECT_KINDS.map((kind) => CLAUSE_WORDING[kind]).sort());
  expect(titles('Events')).toEqual(EVENT_KINDS.map((event) => `on ${EVENT_WORDING[event]}`));
  expect(new Set(PAGES.map(({ path }) => path)).size).toBe(PAGES.length);
});

test('every diagnostic has its page', () => {
  const paths = PAGES.map(({ path }) => path);
  for (const code of Object.keys(DIAGNOSTICS)) expect(paths).toContain(`diagnostics/${code}`);
});

test('every fact and detector is shown', () => {
  const facts = REFERENCE.find(({ path }) => path === 'reference/facts')!.markdown;
  for (const { root, name } of BUILT_IN_ATTRIBUTES)
    if (name !== '' && root !== 'message' && root !== 'toolCallItem') expect(facts).toContain(`\`${root}.${name}\``);
  const found = REFERENCE.find(({ path }) => path === 'reference/built-in-detectors')!.markdown;
  for (const { name } of detectors) expect(found).toContain(`\n## ${name}\n`);
});

describe('how a form is written', () => {
  test.each([
    ['term', 'term NAME = CONDITION'],
    ['convert', 'convert NAME at NUMBER NAME on DATE'],
    ['hours', 'hours NAME = NAME [to NAME] TIME to TIME, … [except NAME] [in "TEXT"]'],
    ['rule', 'rule NAME ["TITLE"] on EVENT CLAUSE…'],
  ])('%s', (rule, form) => expect(formOf(rule)).toBe(form));

  test('effects are told apart by their words', () => {
    expect(formOfEffect('allow')).toBe('allow');
    expect(formOfEffect('allowChunk')).toBe('allow chunk where CONDITION');
    expect(formOfEffect('limitTo')).toBe('limit ATTRIBUTE to NUMBER UNIT');
    expect(new Set(EFFECT_KINDS.map(formOfEffect)).size).toBe(EFFECT_KINDS.length);
  });

  test('a long one has a line for each choice', () => {
    expect(inLines('a'.repeat(90))).toBe('a'.repeat(90));
    expect(inLines(`x (${'b'.repeat(60)} | c (d | e) | ${'f'.repeat(40)}) y`)).toBe(
      `x (\n    ${'b'.repeat(60)}\n  | c (d | e)\n  | ${'f'.repeat(40)}\n) y`,
    );
  });

  test('no word of the grammar is left without its text', () => {
    for (const [name, form] of allForms()) expect(form, name).not.toMatch(/undefined|word_|object/);
  });
});

describe.each(PAGES.filter(({ markdown }) => markdown.includes('```writ')))('$path', ({ markdown }) => {
  const blocks = [...markdown.matchAll(WRIT_BLOCK)].map(([, kind, source]) => ({ kind: kind ?? '', source: source! }));

  test('its examples are seen', () => {
    expect(blocks.length).toBe(markdown.split('\n```writ').length - (markdown.startsWith('```writ') ? 0 : 1));
  });

  // A part of the tutorial or of the cookbook is held by the tests of these; what gets a diagnostic is checked whole in `test/diagnostics`, which reads the same examples; so is what is shortened.
  const right = blocks.filter(({ source, kind }) => !/^([EW]\d|part)/.test(kind) && !source.includes('…'));
  test.each(right)('$kind $source', ({ kind, source }) => {
    expect(checkExample(source, kind === 'alone').diagnostics.map((each) => each.message)).toEqual([]);
  });
});
