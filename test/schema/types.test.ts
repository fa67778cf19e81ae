// `types.d.ts` is TypeScript: of the example policy, and of names and defaults that a printer may stumble over.
import { Project } from 'ts-morph';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../compiler/plan/plan.ts';
import { typesOf } from '../../compiler/types/types.ts';
import { examplePolicy } from '../bench/example-policy.ts';
import { planOf } from '../kernel/test-filter.ts';

/** Line and message of what the compiler finds wrong in the types, and in a program that uses them. */
function faults(plan: Plan, program = ''): readonly string[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    compilerOptions: { strict: true, lib: ['lib.es5.d.ts'] },
  });
  project.createSourceFile('types.d.ts', typesOf(plan));
  project.createSourceFile('program.ts', `import type { DecisionInput } from './types.d.ts';\n${program}`);
  return project
    .getPreEmitDiagnostics()
    .map((each) => `${each.getLineNumber()}: ${JSON.stringify(each.getMessageText())}`);
}

const input = (rest: string): string => `export const input: DecisionInput = { event: 'retrieval', ${rest} };`;
const CALLER = `caller: { department: 'hr', id: 'u1', region: 'eu' }`;

describe('of the example policy', () => {
  test('are types', async () => {
    expect(faults((await examplePolicy()).plan)).toEqual([]);
  });

  test('take an input of the policy, and no other', async () => {
    const { plan } = await examplePolicy();
    expect(faults(plan, input(`store: 'handbook', ${CALLER}, retrieval: {}`))).toEqual([]);
    expect(faults(plan, input(`store: 'handbuch', ${CALLER}, retrieval: {}`))).toHaveLength(1);
    expect(faults(plan, input(`store: 'handbook', ${CALLER.replace('eu', 'mars')}, retrieval: {}`))).toHaveLength(1);
  });
});

test('of defaults that would end a comment, and of names that TypeScript keeps for itself', () => {
  const plan = planOf(`policy awkward {
  currency usd
  time zone "UTC"
  default prompt: deny
  default completion: deny
  default retrieval: deny
  default ingest: deny
  on failure: deny
}

caller {
  class: text from claim "a" else "*/ export const x = 1; /*"
  new: text from claim "b" else "a \\" */"
}
`);
  expect(plan.facts.length).toBeGreaterThan(1);
  expect(faults(plan)).toEqual([]);
});
