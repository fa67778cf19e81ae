/**
 * TypeScript types of a policy's caller, chunks and events, for applications that build the decision's input or read
 * its result. Made with ts-morph, so that what is emitted is syntactically TypeScript by construction. The types
 * describe facts as they stand in the input document: numbers in their own unit (money in currency, durations in
 * seconds), not scaled.
 */
import {
  IndentationText,
  type InterfaceDeclarationStructure,
  type OptionalKind,
  Project,
  type PropertySignatureStructure,
  StructureKind,
  type TypeAliasDeclarationStructure,
} from 'ts-morph';
import type { Fact, FactType, Plan } from '../plan/plan.ts';

/** The text of `types.d.ts`. */
export function typesOf(plan: Plan): string {
  const project = new Project({
    useInMemoryFileSystem: true,
    skipLoadingLibFiles: true,
    manipulationSettings: { indentationText: IndentationText.TwoSpaces },
  });
  // In one piece: every statement that is added to a file has all of it parsed anew.
  const file = project.createSourceFile('types.d.ts', {
    statements: [
      `// Types of the policy \`${plan.policy}\`. Generated; a change of the policy changes them.`,
      ...plan.enums.map(({ name, members }): TypeAliasDeclarationStructure => ({
        kind: StructureKind.TypeAlias,
        name: enumName(name),
        isExported: true,
        type: members.map((member) => JSON.stringify(member)).join(' | ') || 'never',
      })),
      ...interfacesOf(plan),
      { kind: StructureKind.TypeAlias, name: 'DecisionInput', isExported: true, type: inputUnion(plan) },
    ],
  });
  return file.getFullText();
}

type Property = OptionalKind<PropertySignatureStructure>;

function interfacesOf(plan: Plan): InterfaceDeclarationStructure[] {
  const grouped = plan.facts.filter(
    ({ path, source }) => path.length > 1 && !['chunk', 'argument'].includes(path[0]!) && source.kind !== 'chunks',
  );
  const roots = [...new Set(grouped.map((fact) => fact.path[0]!))];
  return [
    ...roots.map((root) =>
      group(
        pascal(root),
        grouped.filter((fact) => fact.path[0] === root),
        1,
      ),
    ),
    ...plan.tools
      .filter(({ facts }) => facts.length > 0)
      .map(({ name }) =>
        group(
          `${pascal(name)}Call`,
          plan.facts.filter((fact) => fact.path[0] === 'argument' && fact.path[1] === name),
          2,
        ),
      ),
    ...plan.stores.map((store) =>
      group(
        `${pascal(store.name)}Chunk`,
        plan.facts.filter((fact) => fact.path[0] === 'chunk' && fact.path[1] === store.name),
        2,
      ),
    ),
  ];
}

/** One interface of the facts below a root; deeper paths become nested object types. */
function group(name: string, facts: readonly Fact[], depth: number): InterfaceDeclarationStructure {
  return { kind: StructureKind.Interface, name, isExported: true, properties: properties(facts, depth) };
}

function properties(facts: readonly Fact[], depth: number): Property[] {
  const keys = [...new Set(facts.map((fact) => fact.path[depth]!))];
  return keys.map((key): Property => {
    const below = facts.filter((fact) => fact.path[depth] === key);
    const leaf = below.find((fact) => fact.path.length === depth + 1);
    // Which questions to lists an event reads, the schema of the input says.
    const isOfList = below[0]!.path[0] === 'list';
    if (leaf === undefined) {
      const nested = properties(below, depth + 1).map(
        (property) => `readonly ${property.name}${property.hasQuestionToken ? '?' : ''}: ${String(property.type)}`,
      );
      return { name: nameOf(key), isReadonly: true, hasQuestionToken: isOfList, type: `{ ${nested.join('; ')} }` };
    }
    return {
      name: nameOf(key),
      isReadonly: true,
      hasQuestionToken: leaf.absent.kind !== 'fails' || isOfList,
      type: tsType(leaf.type),
      docs: [docOf(leaf)],
    };
  });
}

/** Values and zones are keys of a list's questions. */
function nameOf(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
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
    case 'date':
      return 'string';
    case 'enum':
      return enumName(type.enum);
    case 'text_set':
      return 'readonly string[]';
    case 'enum_set':
      return `readonly ${enumName(type.enum)}[]`;
    case 'collection':
      return `readonly { ${type.fields.map(({ name, optional, type: of }) => `readonly ${name}${optional ? '?' : ''}: ${tsType(of)}`).join('; ')} }[]`;
  }
}

function inputUnion(plan: Plan): string {
  const part = (root: string): string => {
    const fact = plan.facts.find(({ path }) => path[0] === root);
    return fact === undefined
      ? ''
      : ` readonly ${root}${root === 'list' ? '?' : ''}: ${fact.path.length === 1 ? tsType(fact.type) : pascal(root)};`;
  };
  const given = part('now') + part('caller') + part('switch') + part('list');
  const wire = given + part('text');
  const variants = [
    ...(plan.models.length > 0
      ? [
          `{ readonly event: "prompt";${wire}${part('prompt')}${part('budget')} }`,
          `{ readonly event: "completion";${wire}${part('prompt')}${part('model')}${part('completion')} }`,
        ]
      : []),
    ...plan.events.flatMap((event) => {
      if (event.kind !== 'tool_call') return [];
      const which = event.tool === null ? 'readonly tool?: null' : `readonly tool: ${JSON.stringify(event.tool)}`;
      const isNeeded = plan.tools.some(({ name, facts }) => name === event.tool && facts.length > 0);
      const given = isNeeded
        ? ` readonly argument: { readonly ${nameOf(event.tool!)}: ${pascal(event.tool!)}Call };`
        : '';
      return [
        `{ readonly event: "tool_call"; ${which};${wire}${part('prompt')}${part('model')}${part('call')}${given} }`,
      ];
    }),
    ...plan.stores.flatMap((store) => [
      `{ readonly event: "retrieval"; readonly store: ${JSON.stringify(store.name)};${given}${part('retrieval')} }`,
      `{ readonly event: "chunk" | "ingest"; readonly store: ${JSON.stringify(store.name)};${wire}${allChunks(plan, store.name)} readonly chunk: { readonly ${store.name}: ${pascal(store.name)}Chunk } }`,
    ]),
    ...(plan.events.some(({ kind }) => kind === 'exchange')
      ? [`{ readonly event: "exchange";${given}${part('prompt')}${part('model')}${part('completion')} }`]
      : []),
    ...(plan.events.some(({ kind }) => kind === 'egress')
      ? [`{ readonly event: "egress";${part('now')}${part('switch')}${part('list')}${part('egress')} }`]
      : []),
  ];
  return variants.length === 0 ? 'never' : variants.join('\n| ');
}

/** What the decision on a chunk also reads where a condition is over all of them. */
function allChunks(plan: Plan, store: string): string {
  const all = plan.facts.find(({ source }) => source.kind === 'chunks' && source.store === store);
  return all === undefined
    ? ''
    : ` readonly retrieval?: { readonly chunks?: { readonly ${nameOf(store)}: ${tsType(all.type)} } };`;
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
