/** What the checker says of an example of the book, and whether `build` would enforce it. */
import { withCompany } from '../../cli/explain/answer-of.ts';
import { detectorCatalog } from '../../cli/detector-catalog.ts';
import { checkProgram } from '../../dsl/check.ts';
import type { Diagnostic } from '../../dsl/diagnostic.ts';
import { sourceFile } from '../../dsl/source.ts';
import { unenforcedDiagnostics } from '../../dsl/unenforced.ts';

export interface CheckedExample {
  /** Of the example itself. That nothing uses what it declares is not said. */
  readonly diagnostics: readonly Diagnostic[];
  /** Forms in it that `build` refuses, in words, each with its code. */
  readonly unenforced: readonly Diagnostic[];
}

const PATH = 'example.writ';

export function checkExample(source: string, alone: boolean): CheckedExample {
  const { program, diagnostics } = checkProgram(withCompany(sourceFile(PATH, source), alone), detectorCatalog);
  const own = (each: Diagnostic): boolean => each.span.file === PATH;
  return {
    diagnostics: diagnostics.filter((each) => own(each) && each.code !== 'W0210'),
    unenforced: program === null ? [] : unenforcedDiagnostics(program).filter(own),
  };
}
