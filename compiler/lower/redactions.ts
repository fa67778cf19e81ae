/** The modes of redaction that a program's rules use, and each effect's position among them. */
import type { Program, RedactMode, Rule } from '../../dsl/program.ts';
import { compareRedactions, type RedactionMode } from '../plan/redaction.ts';
import type { Scope } from './condition.ts';
import { chunkPath, type FactTable } from './fact-table.ts';
import { Unlowerable } from './unlowerable.ts';

/** Weakest first, each once. */
export function lowerRedactions(program: Program, facts: FactTable): readonly RedactionMode[] {
  const modes = program.rules.flatMap((rule) =>
    rule.effects.flatMap((effect) =>
      effect.kind === 'redact' ? storesOf(rule, program).map((store) => lowerMode(effect.mode, facts, store)) : [],
    ),
  );
  return modes
    .filter((mode, at) => modes.findIndex((other) => compareRedactions(mode, other) === 0) === at)
    .sort(compareRedactions);
}

export function redactionAt(mode: RedactMode, { redactions, facts, store }: Scope): number {
  const lowered = lowerMode(mode, facts, store);
  return redactions.findIndex((each) => compareRedactions(each, lowered) === 0);
}

/** Of which stores' chunks the rule speaks; null: of none. */
function storesOf({ event, store }: Rule, { stores }: Program): readonly (string | null)[] {
  if (event !== 'retrieval' && event !== 'ingest') return [null];
  return store === null ? stores.map(({ name }) => name) : [store];
}

function lowerMode(mode: RedactMode, facts: FactTable, store: string | null): RedactionMode {
  if (mode.kind !== 'pseudonym') return mode;
  const { root, name } = mode.forEach;
  if (root === 'caller') return { kind: 'pseudonym', forEach: facts.at(`caller.${name}`) };
  // The checker lets nothing else through.
  if (root !== 'chunk' || store === null) throw new Unlowerable('pseudonym');
  return { kind: 'pseudonym', forEach: facts.at(chunkPath(store, name)) };
}
