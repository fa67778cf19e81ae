/** The detectors of a policy to the tables that the kernel's text engine reads. */
import type { DetectorUse } from '../plan/plan.ts';
import * as L from '../../filters/kernel/text/layout.ts';
import { compileForm, type CompiledForm } from './compiled-form.ts';
import type { BuiltinDetector, FormSource } from './detector-source.ts';
import { automatonBytes, groupForms, type Group } from './groups.ts';
import { writeTables } from './write-tables.ts';

export interface CompiledDetectors {
  /**
   * The section T_DETECTORS: independent of its place, which is a multiple of 16. Without meaning when there are
   * problems.
   */
  readonly bytes: Uint8Array;
  readonly problems: readonly DetectorProblem[];
  readonly report: readonly DetectorReport[];
}

export interface DetectorProblem {
  readonly detector: string;
  readonly message: string;
  readonly help: string;
}

export interface DetectorReport {
  readonly detector: string;
  /** States and bytes of the automata that it has, or shares. */
  readonly states: number;
  readonly bytes: number;
  /** How it is noticed. */
  readonly anchor: string;
  /** Bytes of its longest match. */
  readonly longest: number;
  /** Bytes of a stream that it can hold back at most. */
  readonly holdMost: number;
}

const UTF8_BYTES_MAX = 4;
const ANCHORS: { readonly [K in Group['kind']]: string } = {
  prefix: 'its beginning',
  bitset: 'its beginning',
  pivot: 'a rare character inside',
  near: 'a word near it',
  run: 'a long run of letters, digits and their signs',
};

/** `uses` in the plan's order: a detector's number in the tables is its position. */
export function compileDetectors(uses: readonly DetectorUse[], builtin: readonly BuiltinDetector[]): CompiledDetectors {
  const problems: DetectorProblem[] = [];
  const forms: CompiledForm[] = [];
  if (uses.length > L.DETECTORS_MAX)
    problems.push({
      detector: uses[L.DETECTORS_MAX]?.name ?? '',
      message: `a policy uses at most ${L.DETECTORS_MAX} detectors`,
      help: 'join patterns by `|` into one detector',
    });
  uses.slice(0, L.DETECTORS_MAX).forEach((use, detector) => {
    for (const { source, ignoreCase } of formsOf(use, builtin, problems)) {
      const form = compileForm(detector, source, ignoreCase);
      if ('message' in form) problems.push({ detector: use.name, ...form });
      else forms.push(form);
    }
  });
  const groups: Group[] = [];
  for (const group of groupForms(forms)) {
    if ('problem' in group) problems.push({ detector: uses[group.form.detector]?.name ?? '', ...group.problem });
    else groups.push(group);
  }
  if (groups.length > L.GROUPS_MAX)
    problems.push({
      detector: uses[0]?.name ?? '',
      message: 'the detectors need too many automata',
      help: 'use fewer detectors',
    });
  const bytes = problems.length > 0 ? new Uint8Array(0) : writeTables(uses.length, groups);
  return { bytes, problems, report: uses.map(({ name }, detector) => reportOf(name, detector, groups)) };
}

function formsOf(
  use: DetectorUse,
  builtin: readonly BuiltinDetector[],
  problems: DetectorProblem[],
): readonly { readonly source: FormSource; readonly ignoreCase: boolean }[] {
  if (use.source.kind === 'pattern') {
    const { pattern, near, ignoreCase } = use.source;
    return [
      {
        source: {
          pattern,
          boundary: { before: 'word', after: 'word' },
          ...(near === undefined ? {} : { context: near }),
        },
        ignoreCase,
      },
    ];
  }
  const found = builtin.find(({ name }) => name === use.name);
  if (found === undefined)
    problems.push({
      detector: use.name,
      message: `there is no detector \`${use.name}\``,
      help: 'declare it with a pattern',
    });
  return (found?.forms ?? []).map((source) => ({ source, ignoreCase: false }));
}

function reportOf(detector: string, number: number, groups: readonly Group[]): DetectorReport {
  const own = groups.filter(({ forms }) => forms.some((form) => form.detector === number));
  const forms = own.flatMap((group) => group.forms.filter((form) => form.detector === number));
  const automata = own.flatMap((group) =>
    group.kind === 'bitset'
      ? []
      : group.kind === 'pivot'
        ? [group.forward, group.backward, group.tail]
        : [group.forward],
  );
  return {
    detector,
    states: automata.reduce((sum, { states }) => sum + states.length, 0),
    bytes: automata.reduce((sum, automaton) => sum + automatonBytes(automaton), 0),
    anchor: [...new Set(own.map(({ kind, digits }) => (digits ? 'digits' : ANCHORS[kind])))].join(', '),
    longest: Math.max(0, ...forms.map(({ longest }) => longest)),
    holdMost: Math.max(
      0,
      ...forms.map(
        ({ longest, source }) =>
          longest +
          (source.context === undefined || source.context.where === 'before'
            ? 0
            : source.context.within * UTF8_BYTES_MAX),
      ),
    ),
  };
}
