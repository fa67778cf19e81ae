/**
 * Rules of the language → rules, limits and requirements of one event. A rule with several effects lands in several
 * places; each keeps the rule's name, condition and reads.
 */
import type { Condition, Effect as SourceEffect, Program, Rule as SourceRule } from '../../dsl/program.ts';
import type { Effect, Expr, FactId, OutputLimit, Requirement, Rule } from '../plan/plan.ts';
import {
  enforcedDetectors,
  exprsOf,
  overFacts,
  overModels,
  removals,
  type Scope,
  unlessCondition,
} from './condition.ts';
import { readsOf } from '../plan/reads.ts';
import { chunkPath } from './fact-table.ts';
import { TRUE } from './simplify.ts';
import { lowerable, type Unenforced, wordingOf } from './unenforced.ts';
import { Unlowerable } from './unlowerable.ts';

export interface LoweredRule {
  readonly rule: Rule | null;
  readonly limits: readonly OutputLimit[];
  readonly requirements: readonly Requirement[];
}

/** What every part of an event's lowering needs besides the scope. */
export interface EventContext {
  readonly program: Program;
  readonly scope: Scope;
  readonly unenforced: Unenforced;
  /** What reading the computed classification reads. */
  readonly classificationReads: readonly FactId[];
}

export function lowerRule(source: SourceRule, context: EventContext): LoweredRule {
  const form = context.unenforced.formOf(source.name);
  if (form !== null) return denying(source, form, context);
  return lowerable(
    () => enforced(source, context),
    (unlowerable) => denying(source, unlowerable, context),
  );
}

/** `reads` of some expressions, with those of the classification where they read it. */
export function readsIn({ classificationReads: classification }: EventContext, ...exprs: readonly Expr[]): FactId[] {
  return [...new Set(exprs.flatMap((expr) => readsOf(expr, { classification })))].sort((a, b) => a - b);
}

function enforced(source: SourceRule, context: EventContext): LoweredRule {
  const { scope } = context;
  const where: readonly (Condition | null)[] = [source.where, unlessCondition(source.unless)];
  const { cites } = source.meta;
  const name = {
    rule: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    ...(cites.length === 0 ? {} : { cites }),
  };
  const limits: OutputLimit[] = [];
  const requirements: Requirement[] = [];
  const effects: Effect[] = [];
  for (const effect of source.effects) {
    if (effect.kind === 'useOnlyModels') {
      const removes = removals(where, effect.condition, scope);
      requirements.push({ ...name, reads: readsIn(context, ...exprsOf(removes)), removes, span: effect.span });
    } else if (effect.kind === 'limit') {
      if (effect.attribute.name !== 'output_tokens' || effect.to.kind !== 'tokens')
        throw new Unlowerable(`limit ${effect.attribute.root}.${effect.attribute.name}`);
      const when = overModels(where, scope);
      limits.push({
        ...name,
        reads: readsIn(context, ...exprsOf(when)),
        when,
        tokens: effect.to.value,
        span: effect.span,
      });
    } else {
      effects.push(lowerEffect(effect, source, context));
    }
  }
  const when = overModels(where, scope);
  const rule =
    effects.length === 0 ? null : { ...head(source), reads: readsIn(context, ...exprsOf(when)), when, effects };
  return { rule, limits, requirements };
}

/**
 * A rule that denies in the place of a declaration that is not enforced. Where the declaration has a condition that can
 * be decided, it denies only there.
 */
export function denyingRule(name: string, form: string, context: EventContext, source?: Conditional): Rule {
  const when = lowerable(
    () => overModels(source === undefined ? [] : [source.for, unlessCondition(source.unless)], context.scope),
    () => ({ kind: 'all' as const, expr: TRUE }),
  );
  const message = `\`${name}\` uses ${wordingOf(form)}, which is not enforced yet, so it denies`;
  const span = source?.span ?? context.program.policy.span;
  return {
    name,
    cites: [],
    reads: readsIn(context, ...exprsOf(when)),
    when,
    effects: [{ kind: 'deny', message }],
    unenforced: form,
    span,
  };
}

/** A budget or a rate, as far as it says where it holds. */
export interface Conditional {
  readonly for: Condition | null;
  readonly unless: Condition | null;
  readonly span: Rule['span'];
}

function denying(source: SourceRule, form: string, context: EventContext): LoweredRule {
  const when = lowerable(
    () => overModels([source.where, unlessCondition(source.unless)], context.scope),
    () => ({ kind: 'all' as const, expr: TRUE }),
  );
  const message = `this rule uses ${wordingOf(form)}, which is not enforced yet, so it denies`;
  return {
    rule: {
      ...head(source),
      reads: readsIn(context, ...exprsOf(when)),
      when,
      effects: [{ kind: 'deny', message }],
      unenforced: form,
    },
    limits: [],
    requirements: [],
  };
}

function head(source: SourceRule): Pick<Rule, 'name' | 'title' | 'cites' | 'span'> {
  return {
    name: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    cites: source.meta.cites,
    span: source.span,
  };
}

function lowerEffect(effect: SourceEffect, source: SourceRule, context: EventContext): Effect {
  const { scope } = context;
  switch (effect.kind) {
    case 'allow':
      return { kind: 'allow' };
    case 'deny':
      return {
        kind: 'deny',
        message: effect.reason ?? source.title ?? `the rule \`${source.name}\` does not allow this`,
      };
    case 'buffer':
      return { kind: 'buffer' };
    case 'tag':
      return { kind: 'tag', name: effect.name, value: tagValue(effect) };
    case 'redact':
      if (effect.mode.kind === 'mask' && effect.mode.keepLast > 0) throw new Unlowerable('mask keeping last');
      if (effect.mode.kind === 'year' || effect.mode.kind === 'pseudonym') throw new Unlowerable(effect.mode.kind);
      enforcedDetectors(effect.detectors, scope);
      return {
        kind: 'redact',
        detectors: effect.detectors,
        includingRestored: effect.includingRestored,
        as: effect.mode.kind,
      };
    case 'allowChunk': {
      const where = overFacts([effect.condition], scope);
      return { kind: 'allow_chunk', where, reads: readsIn(context, where) };
    }
    case 'withholdChunk': {
      if (effect.say !== null) throw new Unlowerable('else say');
      const unless = overFacts([effect.unless], scope);
      return { kind: 'withhold_chunk', unless, reads: readsIn(context, unless) };
    }
    case 'keepNewest':
      if (scope.store === null) throw new Unlowerable('keep newest');
      return {
        kind: 'keep_newest',
        version: scope.facts.at(chunkPath(scope.store, effect.newest.name)),
        key: scope.facts.at(chunkPath(scope.store, effect.forEach.name)),
      };
    case 'useOnlyModels':
    case 'limit':
    case 'require':
    case 'dropCall':
    case 'set':
    case 'record':
    case 'hold':
    case 'notify':
    case 'sample':
      throw new Unlowerable(effect.kind);
  }
}

function tagValue(effect: SourceEffect & { kind: 'tag' }): string {
  const value = effect.value;
  switch (value.kind) {
    case 'text':
    case 'bool':
    case 'int':
    case 'tokens':
    case 'bytes':
      return String(value.value);
    case 'member':
      return value.name;
    case 'decimal':
    case 'money':
    case 'duration':
    case 'time':
    case 'date':
      throw new Unlowerable(`tag with a ${value.kind}`);
  }
}
