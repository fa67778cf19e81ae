// The front on generated policies: what is written survives printing, a condition said otherwise decides the same, and
// neither the order of declarations nor the files that they stand in mean anything. The plans are then decided by every
// backend with those that are generated as plans (backend.ts).
import { describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { planFaults } from '../../compiler/plan/plan-faults.ts';
import { parse } from '../../dsl/parser.ts';
import { print } from '../../dsl/print.ts';
import { sourceFile } from '../../dsl/source.ts';
import { shape } from '../dsl/shape.ts';
import { INPUTS_EACH } from './backend.ts';
import { generateInput } from './generate-input.ts';
import { asFile, generateSource, type Wording } from './generate-source.ts';
import { type Random, randomFrom, seedOfRun } from './random.ts';
import { planOfFiles, type TextFile } from './source-plan.ts';

const POLICIES = 200;

const seed = seedOfRun();
const random = randomFrom(seed + 3);
const policies = Array.from({ length: POLICIES }, () => {
  const of = random.fork();
  const declarations = generateSource(of);
  const plan = planOfFiles([asFile(declarations, 'plain')]);
  return { of, declarations, plan, inputs: Array.from({ length: INPUTS_EACH }, () => generateInput(plan, of)) };
});

describe(`policies as text, seed ${seed}`, () => {
  test('print as the same tree, and printed twice as printed once', () => {
    for (const { declarations } of policies) {
      for (const style of ['plain', 'otherwise'] as const) {
        const { text } = asFile(declarations, style);
        const before = parse(sourceFile('x.writ', text));
        const printed = print(before.file, sourceFile('x.writ', text));
        const after = parse(sourceFile('x.writ', printed));
        expect(after.diagnostics, printed).toEqual([]);
        expect(shape(after.file.declarations), printed).toEqual(shape(before.file.declarations));
        expect(print(after.file, sourceFile('x.writ', printed))).toBe(printed);
      }
    }
  });

  test('are lowered to sound plans, with nothing left unenforced', () => {
    for (const { plan } of policies) {
      expect(planFaults(plan)).toEqual([]);
      expect(plan.events.flatMap(({ rules }) => rules).filter((rule) => rule.unenforced !== undefined)).toEqual([]);
    }
  });

  test('decide the same, said otherwise', () => {
    for (const { declarations, plan, inputs } of policies) {
      const otherwise = asFile(declarations, 'otherwise');
      const other = planOfFiles([otherwise]);
      for (const input of inputs) {
        expect(withoutNumbers(decide(other, input)), `${JSON.stringify(input)}\n${otherwise.text}`).toEqual(
          withoutNumbers(decide(plan, input)),
        );
      }
    }
  });

  test('are the same plan in any order and any files, but for the places that it names', () => {
    for (const { of, declarations, plan } of policies)
      expect(withoutPlaces(planOfFiles(scattered(declarations, of)))).toEqual(withoutPlaces(plan));
  });
});

/** The declarations in another order, in up to three files, with other blanks between them. */
function scattered(declarations: readonly Wording[], of: Random): readonly TextFile[] {
  const shuffled = declarations.map(({ plain }) => ({ plain, at: of.int(0, 9_999) })).sort((a, b) => a.at - b.at);
  const files = ['b/deep.writ', 'a.writ', 'z.writ'].slice(0, of.int(1, 3));
  const texts = new Map<string, string>();
  for (const { plain } of shuffled) {
    const path = of.pick(files);
    texts.set(path, `${texts.get(path) ?? '// Scattered.\n'}${'\n'.repeat(of.int(1, 3))}${plain}\n`);
  }
  return [...texts].map(([path, text]) => ({ path, text }));
}

/** A `classify` has no name of its own: they are numbered by what they say. What is said otherwise has no waiver, so none whose use is noted. */
function withoutNumbers(decision: Decision): unknown {
  const plain = (items: readonly unknown[]): readonly string[] =>
    [...new Set(items.map((item) => JSON.stringify(item).replaceAll(/classify \d/g, 'classify')))]
      .filter((item) => !item.includes('"waiver '))
      .sort();
  return { ...decision, fired: plain(decision.fired), reasons: plain(decision.reasons) };
}

function withoutPlaces(plan: Plan): unknown {
  return shape(plan);
}
