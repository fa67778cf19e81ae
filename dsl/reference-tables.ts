/** The tables of the reference, from the checker's own: a test holds that `README.md` shows them as they are. */
import { EVENTS_OF_EFFECT, EFFECT_OF_CLAUSE } from './check/effects.ts';
import { DIAGNOSTICS } from './diagnostics-catalogue.ts';
import { BUILT_IN_ATTRIBUTES, EVENT_KINDS, EVENT_WORDING } from './events.ts';
import { CLAUSE_WORDING, CLAUSES_OF, type ClauseHolder } from './grammar/clauses-of.ts';
import type { EffectClause } from './syntax-tree.ts';
import { UNENFORCED_FORMS } from './unenforced.ts';

/** By the name that stands between the markers in the file. */
export const REFERENCE_TABLES: { readonly [name: string]: () => string } = {
  attributes: () => {
    const rows = BUILT_IN_ATTRIBUTES.map((each) => {
      const root = each.root === 'message' ? '(message)' : each.root === 'toolCallItem' ? '(tool call)' : each.root;
      const path = each.name === '' ? root : `${root}.${each.name}`;
      return [
        `\`${path}\``,
        each.type,
        each.events.length === EVENT_KINDS.length ? 'all' : each.events.map((event) => EVENT_WORDING[event]).join(', '),
        each.source,
        each.doors.length === 3 ? 'all' : each.doors.join(', '),
        each.doc,
      ];
    });
    return table(['attribute', 'type', 'events', 'source', 'doors', 'meaning'], rows);
  },
  effects: () => {
    const kinds = Object.keys(EFFECT_OF_CLAUSE) as EffectClause['kind'][];
    const rows = kinds.map((kind) => [
      `\`${CLAUSE_WORDING[kind]}\``,
      ...EVENT_KINDS.map((event) => (EVENTS_OF_EFFECT[EFFECT_OF_CLAUSE[kind]].includes(event) ? '✓' : '')),
    ]);
    return table(['effect', ...EVENT_KINDS.map((event) => EVENT_WORDING[event])], rows);
  },
  clauses: () => {
    const holders = Object.keys(CLAUSES_OF) as ClauseHolder[];
    return table(
      ['declaration', 'clauses'],
      holders.map((holder) => [
        `\`${holder}\``,
        [...CLAUSES_OF[holder]].map((clause) => `\`${CLAUSE_WORDING[clause]}\``).join(', '),
      ]),
    );
  },
  unenforced: () =>
    table(
      ['code', 'form'],
      Object.values(UNENFORCED_FORMS).map(({ code, wording }) => [code, wording]),
    ),
  diagnostics: () =>
    table(
      ['code', 'what', 'why'],
      Object.entries(DIAGNOSTICS)
        .filter(([code]) => !code.startsWith('E09'))
        .map(([code, { title, explanation }]) => [code, title, explanation]),
    ),
};

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
