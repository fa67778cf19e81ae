/**
 * TypeScript types of a policy's caller, chunks and events, for applications that build the decision's input or read
 * its result. The types describe facts as they stand in the input document: numbers in their own unit (money in
 * currency, durations in seconds), not scaled. That the text is TypeScript is held by test/schema.
 */
import type { Fact, FactType, Plan } from '../plan/plan.ts';

/** The text of `types.d.ts`. */
export function typesOf(plan: Plan): string {
  const enums = plan.enums.map(
    ({ name, members }) =>
      `export type ${enumName(name)} = ${members.map((member) => JSON.stringify(member)).join(' | ') || 'never'};\n`,
  );
  const head = `// Types of the policy \`${plan.policy}\`. Generated; a change of the policy changes them.\n${enums.join('')}`;
  return [head, ...interfacesOf(plan), `export type DecisionInput =${inputUnion(plan)};\n`].join('\n');
}

function interfacesOf(plan: Plan): readonly string[] {
  const roots = [...new Set(plan.facts.map((fact) => fact.path[0]!))].filter((root) => root !== 'chunk');
  return [
    ...roots.map((root) =>
      interfaceOf(
        pascal(root),
        plan.facts.filter((fact) => fact.path[0] === root),
        1,
      ),
    ),
    ...plan.stores.map((store) =>
      interfaceOf(
        `${pascal(store.name)}Chunk`,
        plan.facts.filter((fact) => fact.path[0] === 'chunk' && fact.path[1] === store.name),
        2,
      ),
    ),
  ];
}

/** One interface of the facts below a root; deeper paths become nested object types. */
function interfaceOf(name: string, facts: readonly Fact[], depth: number): string {
  const lines = propertiesOf(facts, depth).map(
    ({ declaration, doc }) => `${doc === undefined ? '' : `  /** ${doc} */\n`}  ${declaration};\n`,
  );
  return `export interface ${name} {\n${lines.join('')}}\n`;
}

interface Property {
  readonly declaration: string;
  readonly doc?: string;
}

function propertiesOf(facts: readonly Fact[], depth: number): readonly Property[] {
  const below = Map.groupBy(facts, (fact) => fact.path[depth]!);
  return [...below].map(([key, own]): Property => {
    const leaf = own.find((fact) => fact.path.length === depth + 1);
    if (leaf === undefined) {
      const nested = propertiesOf(own, depth + 1).map(({ declaration }) => declaration);
      return { declaration: `readonly ${key}: { ${nested.join('; ')} }` };
    }
    const optional = leaf.absent.kind === 'fails' ? '' : '?';
    return { declaration: `readonly ${key}${optional}: ${tsType(leaf.type)}`, doc: docOf(leaf) };
  });
}

function docOf(fact: Fact): string {
  const unit = fact.type.kind === 'number' && fact.type.unit !== '' ? ` In ${fact.type.unit}.` : '';
  switch (fact.absent.kind) {
    case 'fails':
      return `Required: without it, rules that read it cannot be decided.${unit}`;
    case 'unknown':
      return `Optional.${unit}`;
    case 'else':
      return `When absent: ${JSON.stringify(fact.absent.value).replaceAll('*/', '*\\/')}.${unit}`;
  }
}

function tsType(type: FactType): string {
  switch (type.kind) {
    case 'bool':
      return 'boolean';
    case 'number':
      return 'number';
    case 'text':
      return 'string';
    case 'enum':
      return enumName(type.enum);
    case 'text_set':
      return 'readonly string[]';
    case 'enum_set':
      return `readonly ${enumName(type.enum)}[]`;
    case 'collection':
      return `readonly { ${type.fields.map((field) => `readonly ${field.name}: ${tsType(field.type)}`).join('; ')} }[]`;
  }
}

function inputUnion(plan: Plan): string {
  const has = (root: string): boolean => plan.facts.some((fact) => fact.path[0] === root);
  const part = (root: string): string => (has(root) ? ` readonly ${root}: ${pascal(root)};` : '');
  const wire = part('caller') + part('text');
  const variants = [
    ...(plan.models.length > 0
      ? [
          `{ readonly event: "prompt";${wire}${part('prompt')}${part('budget')} }`,
          `{ readonly event: "completion";${wire}${part('prompt')}${part('model')}${part('completion')} }`,
        ]
      : []),
    ...plan.stores.flatMap((store) => [
      `{ readonly event: "retrieval"; readonly store: ${JSON.stringify(store.name)};${part('caller')}${part('retrieval')} }`,
      `{ readonly event: "chunk" | "ingest"; readonly store: ${JSON.stringify(store.name)};${wire} readonly chunk: { readonly ${store.name}: ${pascal(store.name)}Chunk } }`,
    ]),
  ];
  return variants.length === 0 ? ' never' : variants.map((variant) => `\n  | ${variant}`).join('');
}

/** `writ.detector` → `WritDetector`. */
function enumName(name: string): string {
  return pascal(name);
}

function pascal(name: string): string {
  return name
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
