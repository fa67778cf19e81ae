/**
 * Which clauses each declaration takes, and which it takes once. The parser names a misplaced one; the reference prints
 * this table.
 */
import type { Clause, Declaration } from '../syntax-tree.ts';

export type ClauseKind = Clause['kind'];
export type ClauseHolder = Extract<Declaration, { readonly clauses: readonly Clause[] }>['kind'];

const META = ['cites', 'owner'] as const;
export const EFFECT_KINDS = [
  'allow',
  'deny',
  'useOnly',
  'require',
  'buffer',
  'allowChunk',
  'withholdChunk',
  'keepNewest',
  'redact',
  'dropCall',
  'setField',
  'record',
  'hold',
  'limitTo',
  'tag',
  'notify',
  'sample',
] as const satisfies readonly ClauseKind[];

export const CLAUSES_OF: { readonly [K in ClauseHolder]: ReadonlySet<ClauseKind> } = {
  rule: new Set<ClauseKind>(['where', 'unless', ...EFFECT_KINDS, ...META, 'effective', 'waivableBy']),
  classify: new Set<ClauseKind>(['where', 'unless', ...META]),
  route: new Set<ClauseKind>(['forRequested', 'prefer', ...META]),
  budget: new Set<ClauseKind>(['for', 'unless', 'forEach', 'limitPer', 'at', 'elseDeny', ...META]),
  rate: new Set<ClauseKind>(['for', 'unless', 'forEach', 'limitPer', 'elseDeny', ...META]),
  waiver: new Set<ClauseKind>(['where', 'until', 'owner', 'notify']),
  guarantee: new Set<ClauseKind>(['where', ...META]),
};

/** These may be written more than once. */
export const REPEATABLE_CLAUSES: ReadonlySet<ClauseKind> = new Set<ClauseKind>([
  ...EFFECT_KINDS,
  'cites',
  'prefer',
  'at',
]);

/** As the user writes it. */
export const CLAUSE_WORDING: { readonly [K in ClauseKind]: string } = {
  where: 'where',
  unless: 'unless',
  allow: 'allow',
  deny: 'deny',
  useOnly: 'use only models where',
  require: 'require',
  buffer: 'buffer',
  allowChunk: 'allow chunk where',
  withholdChunk: 'withhold chunk unless',
  keepNewest: 'keep newest',
  redact: 'redact',
  dropCall: 'drop call',
  setField: 'set',
  record: 'record exchange for',
  hold: 'hold for review',
  limitTo: 'limit … to',
  tag: 'tag',
  notify: 'notify',
  sample: 'sample',
  cites: 'cites',
  owner: 'owner',
  effective: 'effective',
  until: 'until',
  waivableBy: 'waivable by',
  forRequested: 'for requested',
  prefer: 'prefer',
  for: 'for',
  forEach: 'for each',
  limitPer: 'limit … per',
  at: 'at … percent',
  elseDeny: 'else deny',
};
