/**
 * Conditions of the language → conditions over facts. What a condition says of the model is settled here, for each
 * model of the catalog: `residual` at one model leaves an expression that no longer mentions it, and `overModels` keeps
 * one expression where all models agree.
 */
import { BUILT_IN_ENUMS } from '../../dsl/events.ts';
import type { AttributeRef, Condition, Model, Operand as SourceOperand, Type, Value } from '../../dsl/program.ts';
import {
  type Expr,
  type FactRef,
  type FactValue,
  type ModelExpr,
  type Operand,
  type SetOperand,
  type TextOperand,
} from '../plan/plan.ts';
import { isInHours } from '../plan/hours.ts';
import type { RedactionMode } from '../plan/redaction.ts';
import {
  allChunksPath,
  argumentPath,
  CALL_NAME_PATH,
  chunkPath,
  type FactTable,
  factValue,
  NOW_PATH,
  switchFactPath,
} from './fact-table.ts';
import { dayFactPath, dayIn, listFactPath, ownOf, valueFactPath } from './feeds.ts';
import type { LoweredHours } from './hours.ts';
import { compareSent, type SentClass } from './sent-classification.ts';
import { and, constant, FALSE, not, or, TRUE } from './simplify.ts';
import { Unlowerable } from './unlowerable.ts';
import { wordDetector } from './word-detector.ts';

/** What a condition is lowered for. */
export interface Scope {
  readonly facts: FactTable;
  readonly models: readonly Model[];
  /** Members of every declared enum, in order. */
  readonly enums: ReadonlyMap<string, readonly string[]>;
  readonly calendar: LoweredHours;
  /** The plan's modes of redaction. */
  readonly redactions: readonly RedactionMode[];
  /** Of the hours that have them, the list of days off, by the hours' name. */
  readonly daysOff: ReadonlyMap<string, string>;
  /** Detectors that nothing runs yet, with the form that each uses. */
  readonly idleDetectors: ReadonlyMap<string, string>;
  /** Of which store `chunk.…` speaks; null outside retrieval and ingest. */
  readonly store: string | null;
  /** Of which tool `tool.…` speaks; null outside calls of one. */
  readonly tool: string | null;
  /** Whose classification this very decision computes; that of an event before it is a fact. */
  readonly classification: 'prompt' | 'completion' | null;
  /** What `prompt.sent_classification` is made of; null where it cannot be read. */
  readonly sent: SentClass | null;
  /** The class that every text has before something raises it; null where the policy has none. */
  readonly base: { readonly enum: string; readonly member: string } | null;
}

export function overModels(conditions: readonly (Condition | null)[], scope: Scope): ModelExpr {
  if (!conditions.some((condition) => condition !== null && mentionsModel(condition)))
    return { kind: 'all', expr: conjunction(conditions, scope, null) };
  const exprs = scope.models.map((model) => conjunction(conditions, scope, model));
  const first = JSON.stringify(exprs[0]);
  return exprs.every((expr) => JSON.stringify(expr) === first)
    ? { kind: 'all', expr: exprs[0]! }
    : { kind: 'each', exprs };
}

/** A condition that must not depend on the model. */
export function overFacts(conditions: readonly (Condition | null)[], scope: Scope): Expr {
  const result = overModels(conditions, scope);
  if (result.kind === 'each') throw new Unlowerable('a condition on the model here');
  return result.expr;
}

/** A condition of an event after the prompt, the chosen model read as the fact `model.chosen`. */
export function atChosen(conditions: readonly (Condition | null)[], scope: Scope): Expr {
  const result = overModels(conditions, scope);
  if (result.kind === 'all') return result.expr;
  const chosen = { kind: 'fact', fact: scope.facts.at('model.chosen') } as const;
  return or(
    scope.models.map(({ name }, model) =>
      and([{ kind: 'text_equals', left: chosen, right: { kind: 'text', value: name } }, result.exprs[model]!]),
    ),
  );
}

/** Whether one of the conditions holds. */
export function anyOf(conditions: readonly ModelExpr[]): ModelExpr {
  const models = conditions.find((each) => each.kind === 'each')?.exprs.length;
  if (models === undefined) return { kind: 'all', expr: or(conditions.flatMap(exprsOf)) };
  const at = (model: number) => conditions.map((each) => (each.kind === 'all' ? each.expr : each.exprs[model]!));
  return { kind: 'each', exprs: Array.from({ length: models }, (_, model) => or(at(model))) };
}

/** For each model, whether `where` holds and `allowed` does not: what `use only models` removes. */
export function removals(where: readonly (Condition | null)[], allowed: Condition, scope: Scope): ModelExpr {
  const exprs = scope.models.map((model) =>
    and([conjunction(where, scope, model), not(residual(allowed, scope, model))]),
  );
  const first = JSON.stringify(exprs[0]);
  if (exprs.length === 0) return { kind: 'all', expr: FALSE };
  return exprs.every((expr) => JSON.stringify(expr) === first)
    ? { kind: 'all', expr: exprs[0]! }
    : { kind: 'each', exprs };
}

/** `unless` as a condition to conjoin. */
export function unlessCondition(unless: Condition | null): Condition | null {
  return unless === null ? null : { kind: 'not', operand: unless, span: unless.span };
}

export function exprsOf(condition: ModelExpr): readonly Expr[] {
  return condition.kind === 'all' ? [condition.expr] : condition.exprs;
}

function mentionsModel(condition: Condition): boolean {
  const isOfModel = (attribute: AttributeRef): boolean => attribute.root === 'model' || isSentClass(attribute);
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.operands.some(mentionsModel);
    case 'not':
      return mentionsModel(condition.operand);
    case 'quantified':
      return mentionsModel(condition.body);
    case 'modelIs':
      return true;
    case 'known':
    case 'isTrue':
    case 'oneOf':
    case 'containsText':
    case 'inList':
    case 'inHours':
      return isOfModel(condition.attribute);
    case 'compare':
    case 'overlaps':
    case 'subsetOf':
      return isOfModel(condition.left) || (condition.right.kind === 'attribute' && isOfModel(condition.right));
    case 'setContains':
      return (
        condition.set.root === 'model' ||
        condition.members.some((member) => member.kind === 'attribute' && member.root === 'model')
      );
    case 'containsDetector':
    case 'containsWords':
    case 'switch':
    case 'approvedBy':
    case 'unredacted':
      return false;
  }
}

function conjunction(conditions: readonly (Condition | null)[], scope: Scope, model: Model | null): Expr {
  return and(
    conditions.filter((condition) => condition !== null).map((condition) => residual(condition, scope, model)),
  );
}

/** What is left of a condition at one model. `model` is null where the condition does not mention it. */
function residual(condition: Condition, scope: Scope, model: Model | null): Expr {
  switch (condition.kind) {
    case 'and':
      return and(condition.operands.map((operand) => residual(operand, scope, model)));
    case 'or':
      return or(condition.operands.map((operand) => residual(operand, scope, model)));
    case 'not':
      return not(residual(condition.operand, scope, model));
    case 'modelIs':
      return constant(model !== null && condition.models.includes(model.name));
    case 'known': {
      const term = termOf(condition.attribute, scope, model);
      return term.kind === 'value' ? TRUE : { kind: 'known', fact: factOnly(term) };
    }
    case 'isTrue': {
      const term = termOf(condition.attribute, scope, model);
      return term.kind === 'value' ? constant(term.value === true) : { kind: 'is_true', fact: factOnly(term) };
    }
    case 'compare':
      return compare(condition.operator, condition.left, condition.right, scope, model);
    case 'oneOf':
      return or(
        condition.values.map((value) =>
          compare(
            'is',
            condition.attribute,
            { kind: 'literal', value, type: condition.attribute.type, span: condition.span },
            scope,
            model,
          ),
        ),
      );
    case 'containsDetector':
      return found(condition.text, condition.detectors, condition.includingRestored, scope);
    case 'containsWords':
      return found(
        condition.text,
        condition.words.map((word) => wordDetector(word).name).sort(),
        condition.includingRestored,
        scope,
      );
    case 'containsText': {
      const term = termOf(condition.attribute, scope, model);
      return or(
        condition.texts.map((part) =>
          term.kind === 'value'
            ? constant(String(term.value).includes(part))
            : { kind: 'text_contains', text: factOnly(term), part },
        ),
      );
    }
    case 'setContains':
      return or(
        condition.members.map((member) => {
          const set = termOf(condition.set, scope, model);
          const element =
            member.kind === 'attribute'
              ? termOf(member, scope, model)
              : valueTerm(member, elementType(condition.set.type), scope);
          return contains(set, element);
        }),
      );
    case 'overlaps':
    case 'subsetOf': {
      const left = termOf(condition.left, scope, model);
      const right = operandTerm(condition.right, scope, model);
      return condition.kind === 'overlaps' ? overlaps(left, right) : subset(left, right);
    }
    case 'quantified': {
      const path = collectionPath(condition.collection, scope);
      return {
        kind: condition.quantifier,
        collection: scope.facts.at(path),
        body: residual(condition.body, { ...scope, facts: inElement(scope.facts, path) }, model),
      };
    }
    case 'inHours': {
      const term = termOf(condition.attribute, scope, model);
      const hours = scope.calendar.hours.findIndex((each) => each.name === condition.hours);
      const off = scope.daysOff.get(condition.hours);
      const inWeek: Expr =
        term.kind === 'value'
          ? constant(isInHours(Number(term.value), hours, scope.calendar))
          : { kind: 'in_hours', time: factOnly(term), hours };
      return off === undefined ? inWeek : and([inWeek, not(isDayIn(off, hours, term, scope))]);
    }
    case 'inList':
      return inList(condition, scope, model);
    case 'switch':
      return {
        kind: 'is_true',
        fact: { kind: 'fact', fact: scope.facts.at(switchFactPath(condition.switch).join('.')) },
      };
    case 'approvedBy':
    case 'unredacted':
      throw new Unlowerable(condition.kind);
  }
}

// ------------------------------------------------------------------------------------------------------------
// lists

function inList(
  { attribute, list, span }: Extract<Condition, { kind: 'inList' }>,
  scope: Scope,
  model: Model | null,
): Expr {
  const isAmong = (path: readonly string[]): Expr => ({
    kind: 'is_true',
    fact: { kind: 'fact', fact: scope.facts.at(path.join('.')) },
  });
  const term = termOf(attribute, scope, model);
  if (term.kind === 'value') return isAmong(valueFactPath(list, term.value));
  if (term.kind === 'ref' && term.ref.kind === 'fact')
    return isAmong(listFactPath(list, scope.facts.facts[term.ref.fact]!.path.join('.')));
  const { type } = attribute;
  if (type.kind !== 'enum') throw new Unlowerable(`${attribute.name} in a list`);
  return or(
    (scope.enums.get(type.name) ?? BUILT_IN_ENUMS[type.name]!).map((name, ordinal) => {
      const value: Value = { kind: 'member', enum: type.name, name, ordinal };
      return and([
        compare('is', attribute, { kind: 'literal', value, type, span }, scope, model),
        isAmong(valueFactPath(list, name)),
      ]);
    }),
  );
}

/** Whether a time falls on a day that is in the list, as the clocks of the hours' zone show it. */
function isDayIn(list: string, hours: number, term: Term, scope: Scope): Expr {
  const { zone } = scope.calendar.hours[hours]!;
  const ref = term.kind === 'value' ? undefined : factOnly(term);
  if (ref?.kind === 'field') throw new Unlowerable('a time of an element in hours with days off');
  const path =
    ref === undefined
      ? valueFactPath(list, dayIn(scope.calendar, zone, Number(term.kind === 'value' ? term.value : 0)))
      : dayFactPath(list, scope.calendar.zones[zone]!.name, scope.facts.facts[ref.fact]!.path.join('.'));
  return { kind: 'is_true', fact: { kind: 'fact', fact: scope.facts.at(path.join('.')) } };
}

// ------------------------------------------------------------------------------------------------------------
// comparisons

/** A side of a comparison: settled, or a fact, or the classification that this decision computes. */
type Term =
  | { readonly kind: 'value'; readonly value: FactValue; readonly type: Type }
  | { readonly kind: 'ref'; readonly ref: FactRef; readonly type: Type }
  | { readonly kind: 'classification'; readonly type: Type }
  | { readonly kind: 'sent'; readonly sent: SentClass; readonly model: number; readonly type: Type };

const FLIPPED = { is: 'is', atLeast: 'atMost', atMost: 'atLeast', above: 'below', below: 'above' } as const;
const PLAN_OPERATOR = { is: 'eq', atLeast: 'ge', atMost: 'le', above: 'gt', below: 'lt' } as const;

function compare(
  operator: keyof typeof FLIPPED,
  leftRef: AttributeRef,
  rightOperand: SourceOperand,
  scope: Scope,
  model: Model | null,
): Expr {
  const left = termOf(leftRef, scope, model);
  const right = operandTerm(rightOperand, scope, model);
  if (left.kind === 'sent') return ofSent(operator, left, right, scope);
  if (right.kind === 'sent') return ofSent(FLIPPED[operator], right, left, scope);
  if (left.kind === 'value')
    return right.kind === 'value'
      ? constant(holds(operator, left, right, scope))
      : comparison(FLIPPED[operator], right, left);
  return comparison(operator, left, right);
}

function comparison(operator: keyof typeof FLIPPED, left: Term, right: Term): Expr {
  const type = left.type;
  if (type.kind === 'bool') {
    if (right.kind === 'value')
      return right.value === true
        ? { kind: 'is_true', fact: factOnly(left) }
        : and([known(left), not({ kind: 'is_true', fact: factOnly(left) })]);
    const [a, b]: Expr[] = [left, right].map((term) => ({ kind: 'is_true', fact: factOnly(term) }));
    return or([and([a!, b!]), and([known(left), known(right), not(a!), not(b!)])]);
  }
  if (type.kind === 'text' || (type.kind === 'enum' && !type.ordered)) {
    return { kind: 'text_equals', left: textOperand(left), right: textOperand(right) };
  }
  return { kind: 'compare', op: PLAN_OPERATOR[operator], left: rankOrNumber(left), right: rankOrNumber(right) };
}

/** A comparison of the class that leaves: with itself it says nothing. */
function ofSent(operator: keyof typeof FLIPPED, sent: Term & { kind: 'sent' }, other: Term, scope: Scope): Expr {
  if (other.kind === 'sent') return constant(operator !== 'above' && operator !== 'below');
  const { base } = scope;
  if (base === null) throw new Unlowerable('prompt.sent_classification');
  const members = scope.enums.get(base.enum) ?? [];
  return compareSent(sent.sent, sent.model, scope.facts.facts, {
    base: members.indexOf(base.member),
    rankOf: (member) => members.indexOf(member),
    operator,
    holds: (each, rank) => {
      const left: Term = { kind: 'value', value: members[rank]!, type: sent.type };
      return other.kind === 'value'
        ? constant(holds(each, left, other, scope))
        : comparison(FLIPPED[each], other, left);
    },
  });
}

/** True where the fact cannot be unknown; the fold drops it. */
function known(term: Term): Expr {
  return term.kind === 'ref' ? { kind: 'known', fact: term.ref } : TRUE;
}

function holds(
  operator: keyof typeof FLIPPED,
  left: Term & { kind: 'value' },
  right: Term & { kind: 'value' },
  scope: Scope,
): boolean {
  const type = left.type;
  if (type.kind !== 'enum' && typeof left.value !== 'number') return left.value === right.value;
  const [a, b] = [left.value, right.value].map((value) =>
    type.kind === 'enum' ? ordinalOf(type.name, String(value), scope) : Number(value),
  );
  return { is: a === b, atLeast: a! >= b!, atMost: a! <= b!, above: a! > b!, below: a! < b! }[operator];
}

function rankOrNumber(term: Term): Operand {
  if (term.kind === 'classification') return { kind: 'classification' };
  if (term.kind !== 'value') return factOnly(term);
  if (term.type.kind === 'enum') return { kind: 'rank', enum: term.type.name, member: String(term.value) };
  return { kind: 'number', value: Number(term.value) };
}

function textOperand(term: Term): TextOperand {
  if (term.kind === 'value') return { kind: 'text', value: String(term.value) };
  return factOnly(term);
}

function contains(set: Term, member: Term): Expr {
  if (set.kind !== 'value') return { kind: 'contains', set: factOnly(set), member: textOperand(member) };
  const values = set.value as readonly string[];
  if (member.kind === 'value') return constant(values.includes(String(member.value)));
  return or(
    values.map((value) => ({ kind: 'text_equals', left: textOperand(member), right: { kind: 'text', value } })),
  );
}

function overlaps(left: Term, right: Term): Expr {
  if (left.kind === 'value' && right.kind === 'value')
    return constant(
      (left.value as readonly string[]).some((value) => (right.value as readonly string[]).includes(value)),
    );
  const [fact, other] = left.kind === 'value' ? [right, left] : [left, right];
  return { kind: 'overlaps', left: factOnly(fact), right: setOperand(other) };
}

function subset(left: Term, right: Term): Expr {
  if (left.kind === 'value')
    return and(
      (left.value as readonly string[]).map((value) =>
        contains(right, { kind: 'value', value, type: elementType(left.type) }),
      ),
    );
  return { kind: 'subset', left: factOnly(left), right: setOperand(right) };
}

function setOperand(term: Term): SetOperand {
  return term.kind === 'value' ? { kind: 'members', values: term.value as readonly string[] } : factOnly(term);
}

function factOnly(term: Term): FactRef {
  if (term.kind !== 'ref') throw new Unlowerable('the classification here');
  return term.ref;
}

// ------------------------------------------------------------------------------------------------------------------
// terms

function operandTerm(operand: SourceOperand, scope: Scope, model: Model | null): Term {
  return operand.kind === 'attribute' ? termOf(operand, scope, model) : valueTerm(operand.value, operand.type, scope);
}

function valueTerm(value: Value, type: Type, scope: Scope): Term {
  return { kind: 'value', value: factValue(value, type, scope.facts.zone), type };
}

function termOf(attribute: AttributeRef, scope: Scope, model: Model | null): Term {
  const type = attribute.type;
  const fact = (path: string): Term => ({ kind: 'ref', ref: { kind: 'fact', fact: scope.facts.at(path) }, type });
  switch (attribute.root) {
    case 'model': {
      if (model === null) throw new Unlowerable('a condition on the model here');
      return modelTerm(attribute, model, scope);
    }
    case 'chunk':
      if (scope.store === null) throw new Unlowerable('chunk');
      return fact(chunkPath(scope.store, attribute.name));
    case 'tool':
      if (attribute.declared === null) return fact(CALL_NAME_PATH);
      if (scope.tool === null) throw new Unlowerable('tool');
      return fact(argumentPath(scope.tool, attribute.name));
    case 'variable':
      return { kind: 'ref', ref: scope.facts.field('', attribute.name), type };
    case 'prompt':
    case 'completion':
      if (isSentClass(attribute)) {
        if (scope.sent === null || model === null) throw new Unlowerable('prompt.sent_classification');
        return { kind: 'sent', sent: scope.sent, model: scope.models.indexOf(model), type };
      }
      if (attribute.name === 'classification' && scope.classification === attribute.root)
        return { kind: 'classification', type };
      return fact(`${attribute.root}.${attribute.name}`);
    case 'caller':
    case 'retrieval':
    case 'egress':
      return fact(`${attribute.root}.${attribute.name}`);
    case 'now':
      return fact(NOW_PATH);
    case 'text':
      throw new Unlowerable(attribute.root);
  }
}

/** The class at each candidate: a condition that reads it is one for each model. */
function isSentClass({ root, name }: AttributeRef): boolean {
  return root === 'prompt' && name === 'sent_classification';
}

/** What the catalog says: the declared attributes, and the numbers that every model has. */
function modelTerm(attribute: AttributeRef, model: Model, scope: Scope): Term {
  const declared = model.attributes.find((candidate) => candidate.name === attribute.name);
  if (declared !== undefined) return valueTerm(declared.value, attribute.type, scope);
  const value = ownOf(model, attribute.name);
  if (value === undefined) throw new Unlowerable(`model.${attribute.name}`);
  return { kind: 'value', value, type: attribute.type };
}

function elementType(type: Type): Type {
  return type.kind === 'set' ? type.element : type;
}

function ordinalOf(enumName: string, member: string, scope: Scope): number {
  return scope.enums.get(enumName)!.indexOf(member);
}

/**
 * Throws where one of the detectors is of a kind that nothing runs yet: it would find nothing, and that must not look
 * like a clean text.
 */
export function enforcedDetectors(detectors: readonly string[], scope: Scope): void {
  for (const name of detectors) {
    const form = scope.idleDetectors.get(name);
    if (form !== undefined) throw new Unlowerable(form);
  }
}

/** Some of the detectors were found in the text. */
function found(text: AttributeRef, detectors: readonly string[], includingRestored: boolean, scope: Scope): Expr {
  enforcedDetectors(detectors, scope);
  const left: FactRef =
    text.root === 'variable'
      ? scope.facts.field('', includingRestored ? 'found_restored' : 'found')
      : { kind: 'fact', fact: scope.facts.at(includingRestored ? 'text.found_restored' : 'text.found') };
  const values = [...new Set(detectors)].sort();
  if (values.length === 1) return { kind: 'contains', set: left, member: { kind: 'text', value: values[0]! } };
  return { kind: 'overlaps', left, right: { kind: 'members', values } };
}

function collectionPath({ root, name }: AttributeRef, { store }: Scope): string {
  if (root !== 'retrieval') return `${root}.${name}`;
  if (store === null) throw new Unlowerable('retrieval.chunks');
  return allChunksPath(store);
}

/**
 * The same facts, in which a field without a collection is one of that at `collection`. Nothing is restored in a prompt:
 * its messages have one field for both.
 */
function inElement(facts: FactTable, collection: string): FactTable {
  const isOfPrompt = collection.startsWith('prompt.');
  return {
    ...facts,
    field: (path, name) =>
      facts.field(path === '' ? collection : path, isOfPrompt && name === 'found_restored' ? 'found' : name),
  };
}
