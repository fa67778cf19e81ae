/**
 * What happens to declarations whose form nothing enforces yet. The default is to refuse to build. With `allowUnenforced` each such declaration denies instead: its condition is kept where it can be
 * decided, else it denies whatever its event is. Nothing is dropped.
 */
import type { EventKind, Program, UnenforcedForm } from "../../dsl/program.ts";
import { Unlowerable } from "./unlowerable.ts";

/** A declaration that will deny, for the report and for the command line's warnings. */
export interface Denying {
  readonly declaration: string;
  readonly form: string;
}

/** Forms that say nothing about what may pass: leaving them out only narrows, or changes nothing at run time. They are reported, and deny nothing. */
const NARROWER_WITHOUT: ReadonlySet<UnenforcedForm> = new Set(["waiver", "guarantee"]);

export interface Unenforced {
  /** The form that makes this declaration deny, or null when it can be enforced as written. */
  formOf(declaration: string): string | null;
  /** Forms that narrow everything and stand on no rule: with them in force nothing at all may pass. */
  readonly whole: readonly Denying[];
}

export function unenforcedOf(program: Program): Unenforced {
  const forms = new Map<string, string>();
  const whole: Denying[] = [];
  for (const use of program.unenforced) {
    if (NARROWER_WITHOUT.has(use.form)) continue;
    if (use.form === "import" || use.form === "delegate") whole.push({ declaration: use.declaration, form: use.form });
    else if (!forms.has(use.declaration)) forms.set(use.declaration, use.form);
  }
  return { formOf: (declaration) => forms.get(declaration) ?? null, whole };
}

/** Where a rule on an event that the plan does not have denies instead: at the nearest event that comes before it on the same traffic. */
export function decidedAt(event: EventKind): "prompt" | "completion" | "retrieval" | "ingest" {
  switch (event) {
    case "toolCall":
      return "completion";
    case "exchange":
    case "egress":
      return "prompt";
    case "prompt":
    case "completion":
    case "retrieval":
    case "ingest":
      return event;
  }
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
