/**
 * What happens to declarations whose form nothing enforces yet. The default is to refuse to build. With
 * `allowUnenforced` each such declaration denies instead: its condition is kept where it can be decided, else it denies
 * whatever its event is. Nothing is dropped.
 */
import type { Program, UnenforcedForm } from '../../dsl/program.ts';
import { UNENFORCED_FORMS } from '../../dsl/unenforced.ts';
import { Unlowerable } from './unlowerable.ts';

/** A declaration that will deny, for the report and for the command line's warnings. */
export interface Denying {
  readonly declaration: string;
  readonly form: string;
}

export interface Unenforced {
  /**
   * The form that makes this declaration (a rule, a budget, a detector) deny, or null when it can be enforced as
   * written.
   */
  formOf(declaration: string): string | null;
  /** What makes every event of a store deny: its kind. */
  denying(store: string): readonly Denying[];
}

export function unenforcedOf(program: Program): Unenforced {
  const forms = new Map<string, string>();
  for (const { form, declaration } of program.unenforced) {
    if (!forms.has(declaration)) forms.set(declaration, form);
  }
  const stores = new Set(program.stores.map((store) => store.name));
  return {
    formOf: (declaration) => forms.get(declaration) ?? null,
    denying(store) {
      const form = stores.has(store) ? forms.get(store) : undefined;
      return form === undefined ? [] : [{ declaration: store, form }];
    },
  };
}

/** The form in the language's own words. */
export function wordingOf(form: string): string {
  return form in UNENFORCED_FORMS ? UNENFORCED_FORMS[form as UnenforcedForm].wording : form;
}

/** `attempt()`, or `otherwise(form)` where it uses a form that cannot be lowered. */
export function lowerable<T>(attempt: () => T, otherwise: (form: string) => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Unlowerable) return otherwise(error.form);
    throw error;
  }
}
