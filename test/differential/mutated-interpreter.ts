/** The interpreter with a fault in it. */
import type { decide } from '../../compiler/interpret/decide.ts';
import { makeMutant, type Mutation } from '../mutants/mutant.ts';

/** `id` names the copy on disk: one for each use, because test files run side by side. */
export async function mutatedInterpreter(id: string, mutation: Mutation): Promise<typeof decide> {
  const urlOf = makeMutant(id, mutation, ['compiler/interpret', 'compiler/plan'], []);
  const mutated: typeof import('../../compiler/interpret/decide.ts') = await import(
    /* @vite-ignore */ urlOf('compiler/interpret/decide.ts')
  );
  return mutated.decide;
}
