/** The modes of redaction that a program's rules use, and each effect's position among them. */
import type { Program, RedactMode } from '../../dsl/program.ts';
import { compareRedactions, type RedactionMode } from '../plan/redaction.ts';
import type { Scope } from './condition.ts';
import { Unlowerable } from './unlowerable.ts';

/** Weakest first, each once. */
export function lowerRedactions({ rules }: Program): readonly RedactionMode[] {
  const modes = rules
    .flatMap((rule) => rule.effects)
    .flatMap((effect): RedactionMode[] =>
      effect.kind !== 'redact' || effect.mode.kind === 'pseudonym' ? [] : [effect.mode],
    );
  return modes
    .filter((mode, at) => modes.findIndex((other) => compareRedactions(mode, other) === 0) === at)
    .sort(compareRedactions);
}

export function redactionAt(mode: RedactMode, { redactions }: Scope): number {
  if (mode.kind === 'pseudonym') throw new Unlowerable(mode.kind);
  return redactions.findIndex((each) => compareRedactions(each, mode) === 0);
}
