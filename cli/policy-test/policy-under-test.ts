/** A compiled policy as its tests need it: what was declared, what it means, and the filter that runs it. */
import type { Plan } from '../../compiler/plan/plan.ts';
import type { Program } from '../../dsl/program.ts';
import type { Filter } from '../../filters/host/load-filter.ts';

export interface PolicyUnderTest {
  readonly program: Program;
  readonly plan: Plan;
  readonly filter: Filter;
}
