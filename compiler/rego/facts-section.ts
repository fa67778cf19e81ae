/** One rule a fact: how it is read from the input. */
import type { CollectionField, Fact, FactValue } from '../plan/plan.ts';
import type { Names } from './names.ts';
import { comment, heading, identifier, lines, member, quoted, rule, setOf, setOfTexts } from './text.ts';

export function factsSection(names: Names): string {
  const { facts } = names.plan;
  const all = facts.map((fact) => `${quoted(names.path(fact.id))}: ${names.fact(fact.id)}`);
  const closing = facts.filter((fact) => fact.failsClosed).map((fact) => names.path(fact.id));
  return [
    heading('facts'),
    comment('Every fact by its path, and those whose failure denies whatever the policy says of failures.'),
    '',
    `facts := ${lines('{', all, '}')}`,
    '',
    `facts_failing_closed := ${setOfTexts(closing)}`,
    ...facts.flatMap((fact) => ['', `${comment(describe(names, fact))}\n${factRule(names, fact)}`]),
  ].join('\n');
}

function describe(names: Names, fact: Fact): string {
  const { source, type } = fact;
  const from =
    source.kind === 'claim'
      ? `, claim ${source.claim}`
      : source.kind === 'metadata'
        ? `, metadata ${source.key} of store ${source.store}`
        : source.kind === 'argument'
          ? `, argument ${source.key} of tool ${source.tool}`
          : source.kind === 'budget'
            ? `, level of budget ${source.budget}`
            : source.kind === 'chunks'
              ? `, of store ${source.store}`
              : source.kind === 'list'
                ? `, list ${names.plan.lists[source.list]!.name}`
                : '';
  const what =
    type.kind === 'enum' || type.kind === 'enum_set'
      ? `${type.kind} ${type.enum}`
      : type.kind === 'number' && type.unit !== ''
        ? `number of ${type.unit}`
        : type.kind;
  return `${names.path(fact.id)}: ${what.replace('_', ' ')}${from}`;
}

function factRule(names: Names, fact: Fact): string {
  const path = `[${fact.path.map(quoted).join(', ')}]`;
  const name = names.fact(fact.id);
  const absent = absentValue(names, fact);
  switch (fact.type.kind) {
    case 'bool':
    case 'text':
    case 'date':
    case 'text_set':
      return `${name} := ${fact.type.kind}_fact(${path}, ${absent})`;
    case 'number':
      return `${name} := number_fact(${path}, ${10n ** BigInt(fact.type.scale)}, ${absent})`;
    case 'enum':
    case 'enum_set':
      return `${name} := ${fact.type.kind}_fact(${path}, ${quoted(fact.type.enum)}, ${absent})`;
    case 'collection':
      return collectionRule(fact.type, name, path, absent);
  }
}

function collectionRule(
  type: Extract<Fact['type'], { kind: 'collection' }>,
  name: string,
  path: string,
  absent: string,
): string {
  const elements = identifier('elements_of', name);
  const element = identifier('element_of', name);
  const optional = type.fields.filter((field) => field.optional);
  const own = (field: CollectionField): string => identifier(field.name, 'of', name);
  const fields = type.fields.map(
    (field) => `${quoted(field.name)}: ${field.optional ? `${own(field)}(item)` : fieldValue(field)}`,
  );
  const object = lines('{', fields, '}');
  return [
    `${name} := ${absent} if {`,
    `\traw(${path}) == null`,
    '} else := known(elements) if {',
    `\telements := ${elements}(raw(${path}))`,
    '} else := failed',
    '',
    rule(`${elements}(list) := elements`, [
      'is_array(list)',
      `count(list) <= ${type.most}`,
      `elements := [${element}(item) | some item in list; is_object(item)]`,
      'count(elements) == count(list)',
    ]),
    '',
    fields.length === 0
      ? `${element}(_) := {}`
      : `${element}(item) := ${optional.length === 0 ? object : `without_nulls(${object})`}`,
    ...optional.flatMap((field) => [
      '',
      `${own(field)}(item) := null if {`,
      `\tobject.get(item, ${quoted(field.name)}, null) == null`,
      `} else := ${fieldValue(field)}`,
    ]),
  ].join('\n');
}

function fieldValue(field: CollectionField): string {
  const raw = `item${member(field.name)}`;
  switch (field.type.kind) {
    case 'bool':
      return `bool_in(${raw})`;
    case 'number':
      return `scaled(${raw}, ${10n ** BigInt(field.type.scale)})`;
    case 'text':
      return `text_in(${raw})`;
    case 'date':
      return `day_in(${raw})`;
    case 'enum':
      return `member_in(${raw}, ${quoted(field.type.enum)})`;
    case 'text_set':
      return `texts_in(${raw})`;
    case 'enum_set':
      return `members_in(${raw}, ${quoted(field.type.enum)})`;
  }
}

function absentValue(names: Names, fact: Fact): string {
  switch (fact.absent.kind) {
    case 'fails':
      return 'failed';
    case 'unknown':
      return 'unknown';
    case 'else':
      return `known(${literal(names, fact.absent.value)})`;
  }
}

function literal(names: Names, value: FactValue): string {
  if (typeof value === 'string') return names.text(value);
  return typeof value === 'object' ? setOf(value.map((each) => names.text(each))) : String(value);
}
