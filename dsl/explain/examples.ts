/**
 * An example of every diagnostic, by its code. A code without one does not compile; `test/diagnostics` holds that each
 * example gets its diagnostic, and that what is mended gets none.
 */
import type { DiagnosticCode } from '../diagnostics-catalogue.ts';
import { DECLARATION_AND_TEST_EXAMPLES } from './declarations-and-tests.ts';
import type { Example, UnenforcedCode } from './example.ts';
import { TEXT_AND_NAME_EXAMPLES } from './text-and-names.ts';
import { TYPE_AND_RULE_EXAMPLES } from './types-and-rules.ts';
import { UNENFORCED_CASES } from './unenforced.ts';

const EXAMPLES: { readonly [K in Exclude<DiagnosticCode, UnenforcedCode>]: Example } = {
  ...TEXT_AND_NAME_EXAMPLES,
  ...TYPE_AND_RULE_EXAMPLES,
  ...DECLARATION_AND_TEST_EXAMPLES,
};

export function exampleOf(code: DiagnosticCode): Example {
  if (!isUnenforced(code)) return EXAMPLES[code];
  const found = UNENFORCED_CASES.find((each) => each.code === code);
  if (found === undefined) throw new Error(`no example of ${code} in unenforced.ts`);
  return { wrong: found.source, right: null };
}

function isUnenforced(code: DiagnosticCode): code is UnenforcedCode {
  return code.startsWith('E09');
}
