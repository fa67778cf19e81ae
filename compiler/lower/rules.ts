/**
 * Rules of the language → rules, limits and requirements of one event. A rule with several effects lands in several
 * places; each keeps the rule's name, condition and reads.
 */
import type {
  Condition,
  Effect as SourceEffect,
  Program,
  Rule as SourceRule,
  ScalarValue,
  Waiver,
} from '../../dsl/program.ts';
import type { Effect, Expr, FactId, ModelExpr, OutputLimit, Requirement, Rule } from '../plan/plan.ts';
import {
  enforcedDetectors,
  exprsOf,
  overFacts,
  overModels,
  removals,
  type Scope,
  unlessCondition,
} from './condition.ts';
import { type EventContext, type LoweredRule, readsIn } from './event-context.ts';
import { chunkPath } from './fact-table.ts';
import { redactionAt } from './redactions.ts';
import { type SampleEffect, sampleRules } from './samples.ts';
import type { SentClass } from './sent-classification.ts';
import { FALSE, or, TRUE } from './simplify.ts';
import { notifyOf } from './notices.ts';
import { lowerTag } from './tags.ts';
import { effectiveCondition } from './periods.ts';
import { coversOf, eitherOf, isLiftedWhole, liftedBy, liftedWhen, waiverName, waiversOf } from './waivers.ts';
import { requirementRule } from './requirements.ts';
import { lowerable, type Unenforced, wordingOf } from './unenforced.ts';
import { Unlowerable } from './unlowerable.ts';
import { SHARE_WHOLE } from '../plan/keep.ts';
import type { WireValue } from '../plan/wire-value.ts';

export function lowerRule(source: SourceRule, context: EventContext): LoweredRule {
  const form = context.unenforced.formOf(source.name);
  if (form !== null) return denying(source, form, context);
  return lowerable(
    () => enforced(source, context),
    (unlowerable) => denying(source, unlowerable, context),
  );
}

function enforced(source: SourceRule, context: EventContext): LoweredRule {
  const { scope } = context;
  const { where, narrowing, waivers, lifted } = conditionsOf(source, context);
  const { cites } = source.meta;
  const name = {
    rule: source.name,
    ...(source.title === null ? {} : { title: source.title }),
    ...(cites.length === 0 ? {} : { cites }),
  };
  const limits: OutputLimit[] = [];
  const requirements: Requirement[] = [];
  const effects: Effect[] = [];
  const required: Condition[] = [];
  const samples: SampleEffect[] = [];
  for (const effect of source.effects) {
    if (effect.kind === 'useOnlyModels') {
      const removes = removals(narrowing, effect.condition, scope);
      requirements.push({ ...name, reads: readsIn(context, ...exprsOf(removes)), removes, span: effect.span });
    } else if (effect.kind === 'limit') {
      if (effect.attribute.name !== 'output_tokens' || effect.to.kind !== 'tokens')
        throw new Unlowerable(`limit ${effect.attribute.root}.${effect.attribute.name}`);
      const when = overModels(narrowing, scope);
      limits.push({
        ...name,
        reads: readsIn(context, ...exprsOf(when)),
        when,
        tokens: effect.to.value,
        span: effect.span,
      });
    } else if (effect.kind === 'require') {
      required.push(effect.condition);
    } else if (effect.kind === 'sample') {
      samples.push(effect);
    } else if (effect.kind === 'notify') {
      // Told of the rule itself, whatever else it does.
      continue;
    } else {
      effects.push(lowerEffect(effect, source, waivers, context));
    }
  }
  const when = whenOf(effects, where, narrowing, scope);
  const notices = notifyOf(source, context.program);
  // Of a rule that only requires something is told when that is not met.
  const tells = notices.notify !== undefined && required.length === 0;
  const rule =
    effects.length === 0 && !tells
      ? null
      : { ...head(source), reads: readsIn(context, ...exprsOf(when)), when, effects, ...notices };
  const waived = waivers.map((waiver) => ({
    waiver,
    when: liftedWhen(waiver, where, source.effects, scope),
    asked: coversOf(waiver, where, scope),
  }));
  const requirement = requirementRule(source, required, narrowing, rule === null, context);
  const requires = requirement === null || rule !== null ? requirement : { ...requirement, ...notices };
  const drawn = sampleRules(source, samples, overModels(where, scope), rule === null && requires === null, context);
  return { rule, requires, samples: drawn, limits, requirements, waived };
}

/** When the effects that have no condition of their own are asked for. What is sent depends on what is redacted. */
function whenOf(
  effects: readonly { readonly kind: Effect['kind'] | SourceEffect['kind'] }[],
  where: readonly (Condition | null)[],
  narrowing: readonly (Condition | null)[],
  scope: Scope,
): ModelExpr {
  const redacts = effects.some((effect) => effect.kind === 'redact');
  return overModels(effects.some(isLiftedWhole) ? narrowing : where, redacts ? { ...scope, sent: null } : scope);
}

/** When a prompt's redactions of a detector fire, at each model. A rule that cannot be enforced denies instead. */
export function redactionsOf(context: EventContext): SentClass['redacts'] {
  const { scope, unenforced, program } = context;
  const redactions = program.rules.flatMap((source) => {
    const detectors = source.effects.flatMap((effect) => (effect.kind === 'redact' ? effect.detectors : []));
    if (source.event !== 'prompt' || detectors.length === 0 || unenforced.formOf(source.name) !== null) return [];
    const { where, narrowing } = conditionsOf(source, context);
    return lowerable(
      () => [{ detectors, when: whenOf(source.effects, where, narrowing, scope) }],
      () => [],
    );
  });
  return (detector, model) =>
    or(
      redactions
        .filter(({ detectors }) => detectors.includes(detector))
        .map(({ when }) => (when.kind === 'all' ? when.expr : when.exprs[model]!)),
    );
}

/** A rule's own condition, and the same where no waiver lifts it. */
export function conditionsOf(
  source: SourceRule,
  context: EventContext,
): {
  readonly where: readonly (Condition | null)[];
  readonly narrowing: readonly (Condition | null)[];
  readonly waivers: readonly Waiver[];
  readonly lifted: Condition | null;
} {
  const where = [source.where, unlessCondition(source.unless), effectiveCondition(source.meta, source.span)];
  const waivers = waiversOf(source, context);
  const lifted = liftedBy(waivers, source.span);
  return { where, narrowing: [...where, unlessCondition(lifted)], waivers, lifted };
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
    requires: null,
    samples: [],
    limits: [],
    requirements: [],
    waived: [],
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

function lowerEffect(
  effect: SourceEffect,
  source: SourceRule,
  waivers: readonly Waiver[],
  context: EventContext,
): Effect {
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
      return lowerTag(effect);
    case 'redact':
      enforcedDetectors(effect.detectors, scope);
      return {
        kind: 'redact',
        detectors: effect.detectors,
        includingRestored: effect.includingRestored,
        as: redactionAt(effect.mode, scope),
      };
    case 'hold': {
      const { reviewers, count, milliseconds } = effect;
      const group = context.program.reviewers.find(({ name }) => name === reviewers)?.group;
      if (group === undefined || source.event !== 'prompt') throw new Unlowerable('hold');
      return { kind: 'hold', reviewers, group, approvals: count, milliseconds };
    }
    case 'record':
      return { kind: 'keep', reviewers: null, group: null, milliseconds: effect.milliseconds, share: SHARE_WHOLE };
    case 'allowChunk': {
      const where = overFacts([effect.condition], scope);
      return { kind: 'allow_chunk', where, reads: readsIn(context, where) };
    }
    case 'withholdChunk': {
      const unless = overFacts([eitherOf(effect.unless, liftedBy(waivers, source.span))], scope);
      return {
        kind: 'withhold_chunk',
        unless,
        reads: readsIn(context, unless),
        ...(effect.say === null ? {} : { say: effect.say }),
        ...(waivers.length === 0
          ? {}
          : { waived: { by: waivers.map(waiverName), otherwise: overFacts([effect.unless], scope) } }),
      };
    }
    case 'dropCall': {
      const lifted = liftedBy(waivers, source.span);
      const unless = lifted === null ? FALSE : overFacts([lifted], scope);
      return { kind: 'withhold_chunk', unless, reads: readsIn(context, unless) };
    }
    case 'keepNewest':
      if (scope.store === null) throw new Unlowerable('keep newest');
      return {
        kind: 'keep_newest',
        version: scope.facts.at(chunkPath(scope.store, effect.newest.name)),
        key: scope.facts.at(chunkPath(scope.store, effect.forEach.name)),
      };
    case 'set':
      return { kind: 'set', field: effect.path.join('.'), value: wireValue(effect.value) };
    case 'useOnlyModels':
    case 'limit':
    case 'require':
    case 'notify':
    case 'sample':
      throw new Unlowerable(effect.kind);
  }
}

function wireValue(value: ScalarValue): WireValue {
  switch (value.kind) {
    case 'text':
    case 'bool':
    case 'int':
      return value.value;
    case 'decimal':
      return value.digits / 10 ** value.scale;
    default:
      throw new Unlowerable(`set to a ${value.kind}`);
  }
}
