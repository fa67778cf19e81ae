// The schemas of a decision's documents as tables for people: a row for each fact and each key of the result.
import type { JsonSchema } from '../../compiler/schema/json-schema.ts';

/** Facts by path, with their types and the events that cannot be decided in full without them. */
export function inputTable(schema: JsonSchema): string {
  const rows = leaves(schema, []).map(({ path, schema: leaf }) => [
    `\`${path.join('.')}\``,
    typeText(leaf),
    neededBy(schema, path).join(', '),
    leaf.description ?? '',
  ]);
  return table(['fact', 'type', 'needed for', 'what it is'], rows);
}

export function resultTable(schema: JsonSchema): string {
  return table(
    ['key', 'type', 'what it is'],
    Object.entries(schema.properties ?? {}).map(([key, value]) => [
      `\`${key}\``,
      typeText(value),
      MEANING[key] ?? value.description ?? '',
    ]),
  );
}

export function reasonsTable(schema: JsonSchema): string {
  const kinds = schema.properties?.['reasons']?.items?.anyOf ?? [];
  return table(
    ['kind', 'with', 'what it means'],
    kinds.map((reason) => {
      const { kind, ...rest } = reason.properties ?? {};
      return [
        `\`${kind?.const ?? ''}\``,
        Object.entries(rest)
          .map(([key, value]) => `\`${key}\`: ${typeText(value)}`)
          .join('; '),
        reason.description ?? '',
      ];
    }),
  );
}

/** Keys whose schema says it by its form alone. */
const MEANING: { readonly [key: string]: string } = {
  redact:
    'What is replaced in the text before it goes on, how, and by which rules; `includingRestored`: also what was put back into a reply.',
  reserve: 'What is set aside before a prompt goes out: its worst case.',
  holds: 'Who must approve it before it goes on.',
  keeps: 'Who is to judge what is kept of it.',
  tags: "What the policy's rules attach to the exchange.",
  set: 'Fields of the request that get a value of the policy’s.',
};

interface Leaf {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

function leaves(schema: JsonSchema, path: readonly string[]): readonly Leaf[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.properties === undefined ? [{ path: [...path, key], schema: value }] : leaves(value, [...path, key]),
  );
}

function neededBy(schema: JsonSchema, path: readonly string[]): readonly string[] {
  if (path.length === 1 && path[0] === 'event') return ['all'];
  const needs = (schema.allOf ?? [])
    .flatMap((each) => each.allOf ?? [each])
    .filter(({ then }) => isRequired(then, path));
  return [...new Set(needs.map((each) => each.if?.properties?.['event']?.const ?? ''))];
}

function isRequired(schema: JsonSchema | undefined, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return schema?.required?.includes(key) === true && isRequired(schema.properties?.[key], rest);
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) {
    const objects = schema.anyOf.filter((each) => each.type !== 'null');
    return objects.every((each) => each.type === 'object') ? 'object' : schema.anyOf.map(typeText).join(' or ');
  }
  if (schema.enum !== undefined)
    return schema.enum.length === 0
      ? 'none of this policy'
      : schema.enum.map((member) => (member === null ? 'null' : `\`${member}\``)).join(', ');
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : listed(schema.items)}`;
  if (schema.type === 'object')
    return `{ ${Object.entries(schema.properties ?? {})
      .map(([key, value]) => `\`${key}\`: ${typeText(value)}`)
      .join('; ')} }`;
  if (schema.type === undefined) return 'text';
  return (typeof schema.type === 'string' ? [schema.type] : schema.type)
    .map((each) => (each === 'string' ? 'text' : each))
    .join(' or ');
}

function listed(items: JsonSchema): string {
  return items.anyOf !== undefined
    ? 'reasons, see below'
    : items.enum === undefined
      ? typeText(items)
      : `(${typeText(items)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
