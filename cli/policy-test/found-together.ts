/** Chunks that are found together: those of a store whose steps follow one another are one answer of it. */
import type { Plan } from '../../compiler/plan/plan.ts';
import type { Program, TestStep } from '../../dsl/program.ts';
import { factValues } from './given.ts';

type ChunkStep = TestStep & { readonly kind: 'chunk' };

export function foundTogether(step: ChunkStep, steps: readonly TestStep[]): readonly ChunkStep[] {
  const at = steps.indexOf(step);
  const isWith = (each: TestStep): each is ChunkStep => each.kind === 'chunk' && each.store === step.store;
  const from = steps.slice(0, at).findLastIndex((each) => !isWith(each)) + 1;
  const end = steps.findIndex((each, i) => i > at && !isWith(each));
  return steps.slice(from, end < 0 ? steps.length : end).filter(isWith);
}

/** The fact of all chunks of the answer, as the decision's input holds it; nothing where no condition is over them. */
export function allChunksFact(
  store: string,
  found: readonly ChunkStep[],
  { facts }: Plan,
  program: Program,
): { readonly retrieval?: object } {
  if (!facts.some(({ source }) => source.kind === 'chunks' && source.store === store)) return {};
  const declared = program.stores.find(({ name }) => name === store)?.attributes ?? [];
  const otherwise = declared.flatMap(({ name, absence, span }) =>
    absence.kind === 'else' ? [{ name, value: absence.value, span }] : [],
  );
  const chunks = found.map(({ attributes }) => factValues([...otherwise, ...attributes], program));
  return { retrieval: { chunks: { [store]: chunks } } };
}
