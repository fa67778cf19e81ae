/**
 * The forms that are checked and that nothing enforces yet. One line a form: whoever makes a form real removes its line
 * here, its member of `UnenforcedForm` and its codes in the catalogue, and the compiler's complaints lead to the rest.
 */
import { type Diagnostic, diagnostic, help } from './diagnostic.ts';
import type { DiagnosticCode } from './diagnostics-catalogue.ts';
import { EVENT_WORDING } from './events.ts';
import type { Program, UnenforcedForm } from './program.ts';

export const UNENFORCED_FORMS: {
  readonly [K in UnenforcedForm]: { readonly code: DiagnosticCode; readonly wording: string };
} = {
  hold: { code: 'E0901', wording: '`hold for review` of a completion or tool call' },
  listDetector: { code: 'E0927', wording: 'a detector that matches a list' },
};

/** One for each use, in the order of the program's list. `build` refuses them; `check` does not show them. */
export function unenforcedDiagnostics(program: Program): Diagnostic[] {
  return program.unenforced.map((use) => {
    const { code, wording } = UNENFORCED_FORMS[use.form];
    const event = use.event === null ? '' : ` on ${EVENT_WORDING[use.event]}`;
    return diagnostic(code, use.span, `${wording} is checked but not yet enforced`, {
      help: [
        help(
          `take it out of \`${use.declaration}\`${event}, or build with \`--allow-unenforced\`, and what depends on it denies`,
        ),
      ],
    });
  });
}
