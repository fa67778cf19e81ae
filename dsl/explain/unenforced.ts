/** E09: forms that are checked and not yet enforced. A form that becomes real loses its line here. */
import type { UnenforcedCode } from './example.ts';

const rule = (clauses: string, event = 'prompt'): string => `rule r\n  on ${event}\n  ${clauses}\n`;

export const UNENFORCED_CASES: readonly { readonly code: UnenforcedCode; readonly source: string }[] = [
  {
    code: 'E0901',
    source: rule('where text contains iban\n  hold for review by 2 of lawyers up to 4 hours else deny', 'completion'),
  },
  { code: 'E0927', source: `detector vendor matches list vendors\n${rule('redact vendor as mask')}` },
];
