/** The pages of the language reference: made of the grammar, the checker's own tables, and a few words on each form. */
import { EFFECT_OF_CLAUSE, EVENTS_OF_EFFECT } from '../../../dsl/check/effects.ts';
import { EXAMPLE_POLICY } from '../../../dsl/explain/example.ts';
import { BUILT_IN_ATTRIBUTES, DECLARED_ROOTS, EVENT_KINDS, EVENT_WORDING } from '../../../dsl/events.ts';
import { CLAUSE_WORDING, CLAUSES_OF, type ClauseHolder, EFFECT_KINDS } from '../../../dsl/grammar/clauses-of.ts';
import type { EventKind } from '../../../dsl/program.ts';
import type { Declaration, EffectClause } from '../../../dsl/syntax-tree.ts';
import { detectors } from '../../../filters/detectors/detectors.ts';
import { checkExample } from '../check-example.ts';
import { linkTo, type Page, slug, tableOf } from '../page.ts';
import { DECLARATIONS, type Described } from './declarations.ts';
import { EFFECTS } from './effects.ts';
import { EVENTS, TYPES } from './events-and-types.ts';
import { allForms, formOf, formOfEffect, inLines } from './forms.ts';
import { type DescribedRelation, RELATIONS } from './relations.ts';

export function referencePages(): readonly Page[] {
  return [
    overview(),
    ...keysOf(DECLARATIONS)
      .filter((kind) => kind !== 'callerFrom')
      .map(declarationPage),
    ...keysOf(EFFECTS).map(effectPage),
    ...EVENT_KINDS.map(eventPage),
    ...keysOf(RELATIONS).map(relationPage),
    factsPage(),
    typesPage(),
    detectorsPage(),
    grammarPage(),
    examplePolicyPage(),
  ];
}

const declarationPath = (kind: Declaration['kind']): string => `reference/${slug(kind)}`;
const effectPath = (kind: EffectClause['kind']): string => `reference/effect-${slug(CLAUSE_WORDING[kind])}`;
const eventPath = (event: EventKind): string => `reference/on-${slug(event)}`;

function overview(): Page {
  const declarations = keysOf(DECLARATIONS)
    .filter((kind) => kind !== 'callerFrom')
    .map((kind) => [linkTo(declarationPath(kind), `\`${kind}\``), DECLARATIONS[kind].short]);
  const effects = keysOf(EFFECTS).map((kind) => [
    linkTo(effectPath(kind), `\`${CLAUSE_WORDING[kind]}\``),
    EFFECTS[kind].short,
  ]);
  return {
    path: 'reference/index',
    title: 'The language at a glance',
    part: 'Reference',
    group: '',
    markdown: `A policy is a folder of \`.writ\` files. Each file is a row of declarations, and each declaration begins in column 1. Comments begin with \`//\`. What follows is made from the parser's grammar and the checker's own tables.

## Declarations

${tableOf(['declaration', 'what it is for'], declarations)}

## Effects of rules

${tableOf(['effect', 'what it does'], effects)}

Which effect stands on which event, and which facts each event has, is ${linkTo('reference/facts', 'in one table')}. What conditions ask is said by ${linkTo('reference/relations-compare', 'the relations')}.
`,
  };
}

function declarationPage(kind: Declaration['kind']): Page {
  const described = DECLARATIONS[kind];
  const clauses = isHolder(kind) ? clausesText(kind) : '';
  return {
    path: declarationPath(kind),
    title: kind,
    part: 'Reference',
    group: 'Declarations',
    markdown: `*${sentence(described.short)}*

${described.about}

## How it is written

\`\`\`form
${inLines(formOf(kind) ?? kind)}
\`\`\`

${clauses}## Example

${exampleText(described)}`,
  };
}

function clausesText(kind: ClauseHolder): string {
  const rows = [...CLAUSES_OF[kind]].map((clause) => {
    const effect = EFFECT_KINDS.find((each) => each === clause);
    const written = `\`${CLAUSE_WORDING[clause]}\``;
    return effect === undefined ? written : linkTo(effectPath(effect), written);
  });
  return `## Its clauses\n\n${rows.join(', ')}.\n\n`;
}

function effectPage(kind: EffectClause['kind']): Page {
  const described = EFFECTS[kind];
  const events = EVENTS_OF_EFFECT[EFFECT_OF_CLAUSE[kind]].map((event) =>
    linkTo(eventPath(event), `\`on ${EVENT_WORDING[event]}\``),
  );
  return {
    path: effectPath(kind),
    title: CLAUSE_WORDING[kind],
    part: 'Reference',
    group: 'Effects',
    markdown: `*${sentence(described.short)}*

${described.about}

## How it is written

\`\`\`form
${inLines(formOfEffect(kind))}
\`\`\`

It stands ${events.join(', ')}.

## Example

${exampleText(described)}`,
  };
}

function eventPage(event: EventKind): Page {
  const wording = EVENT_WORDING[event];
  const effects = keysOf(EFFECTS).filter((kind) => EVENTS_OF_EFFECT[EFFECT_OF_CLAUSE[kind]].includes(event));
  const attributes = BUILT_IN_ATTRIBUTES.filter((each) => each.events.includes(event)).map((each) => [
    `\`${attributePath(each)}\``,
    each.type,
    each.optional ? 'optional' : '',
    each.doc,
  ]);
  const declared = keysOf(DECLARED_ROOTS)
    .filter((root) => DECLARED_ROOTS[root].events.includes(event))
    .map(
      (root) =>
        `\`${root}.…\` as ${linkTo(`reference/${DECLARED_ROOTS[root].declaredBy}`, `\`${DECLARED_ROOTS[root].declaredBy}\``)} declares it`,
    );
  return {
    path: eventPath(event),
    title: `on ${wording}`,
    part: 'Reference',
    group: 'Events',
    markdown: `${EVENTS[event]}

## Facts

${tableOf(['fact', 'type', '', 'meaning'], attributes)}

And what the policy declares: ${declared.join('; ')}.

## Effects

${effects.map((kind) => linkTo(effectPath(kind), `\`${CLAUSE_WORDING[kind]}\``)).join(', ')}.
`,
  };
}

function relationPage(kind: keyof typeof RELATIONS): Page {
  const described = RELATIONS[kind];
  return {
    path: `reference/relations-${slug(kind)}`,
    title: described.written,
    part: 'Reference',
    group: 'Relations',
    markdown: `${described.about}

## Example

${exampleText({ short: '', about: '', example: relationExample(described) })}`,
  };
}

export function relationExample({ example, event, declaration }: DescribedRelation): string {
  if (declaration === true) return example;
  return event === 'retrieval from files'
    ? `rule example\n  on ${event}\n  allow chunk where ${example}\n`
    : `rule example\n  on ${event ?? 'prompt'}\n  where ${example}\n  deny\n`;
}

/** Event × effect × facts. */
function factsPage(): Page {
  const effects = keysOf(EFFECTS).map((kind) => [
    linkTo(effectPath(kind), `\`${CLAUSE_WORDING[kind]}\``),
    ...EVENT_KINDS.map((event) => (EVENTS_OF_EFFECT[EFFECT_OF_CLAUSE[kind]].includes(event) ? '✓' : '')),
  ]);
  const facts = BUILT_IN_ATTRIBUTES.map((each) => [
    `\`${attributePath(each)}\``,
    ...EVENT_KINDS.map((event) => (each.events.includes(event) ? '✓' : '')),
  ]);
  const declared = keysOf(DECLARED_ROOTS).map((root) => [
    `\`${root}.…\``,
    ...EVENT_KINDS.map((event) => (DECLARED_ROOTS[root].events.includes(event) ? '✓' : '')),
  ]);
  const header = (first: string): string[] => [
    first,
    ...EVENT_KINDS.map((event) => linkTo(eventPath(event), EVENT_WORDING[event])),
  ];
  return {
    path: 'reference/facts',
    title: 'Events, effects and facts',
    part: 'Reference',
    group: '',
    markdown: `What may stand in a rule depends on its event: an effect that the event does not have is ${linkTo('diagnostics/E0401', 'E0401')}, a fact that it does not have is ${linkTo('diagnostics/E0207', 'E0207')}.

## Effects

${tableOf(header('effect'), effects)}

## Facts

${tableOf(header('fact'), [...facts, ...declared])}
`,
  };
}

function typesPage(): Page {
  return {
    path: 'reference/types',
    title: 'Types and units',
    part: 'Reference',
    group: '',
    markdown: `Every attribute has a type, and both sides of a comparison have the same. Nothing is converted silently, and nothing is rounded.

${tableOf(
  ['type', 'written', 'what it is'],
  keysOf(TYPES).map((type) => [`\`${type}\``, `\`${TYPES[type].written}\``, TYPES[type].about]),
)}
`,
  };
}

function detectorsPage(): Page {
  const sections = detectors.map(({ name, title, about, examples, lookAlikes }) => {
    const shown = examples.slice(0, EXAMPLES_SHOWN).map((each) => `- ${marked(each)}`);
    const not = lookAlikes.slice(0, EXAMPLES_SHOWN).map((each) => `- ${marked(each)}`);
    return `## ${name}

${sentence(title)}. ${about}

Found, between the marks:

${shown.join('\n')}

Not found:

${not.join('\n')}
`;
  });
  return {
    path: 'reference/built-in-detectors',
    title: 'Built-in detectors',
    part: 'Reference',
    group: '',
    markdown: `Detectors find values by their form. They do not find names or addresses, nor text that is encoded, drawn, or spelled out in words. A policy declares more with ${linkTo('reference/detector', '`detector`')}.

${sections.join('\n')}`,
  };
}

const EXAMPLES_SHOWN = 4;

/** In a code span, its line ends and tabs shown. */
function marked(text: string): string {
  const oneLine = text.replaceAll('\r', '').replaceAll('\n', '⏎').replaceAll('\t', '⇥');
  return oneLine.includes('`') ? `\`\` ${oneLine} \`\`` : `\`${oneLine}\``;
}

function grammarPage(): Page {
  const forms = allForms().map(([name, form]) => `${name}\n    ${inLines(form).replaceAll('\n', '\n    ')}`);
  return {
    path: 'reference/grammar',
    title: 'The grammar',
    part: 'Reference',
    group: '',
    markdown: `Small words and signs are written as they stand; capitals stand for what you write in their place. \`[ ]\` may be left out, \`( | )\` is a choice, \`…\` repeats. The parser runs this grammar; this page is printed from it.

\`\`\`form
${forms.join('\n\n')}
\`\`\`
`,
  };
}

function examplePolicyPage(): Page {
  return {
    path: 'reference/example-policy',
    title: 'The policy beside the examples',
    part: 'Reference',
    group: '',
    markdown: `The examples of the reference and of the diagnostics stand beside this policy, unless they are whole policies themselves.

\`\`\`writ alone
${EXAMPLE_POLICY}\`\`\`
`,
  };
}

function exampleText({ example, alone }: Described): string {
  const { unenforced } = checkExample(example, alone === true);
  const codes = [...new Set(unenforced.map((each) => each.code))];
  const note =
    codes.length === 0
      ? ''
      : `> **Not in force yet.** The form is checked, and \`writ build\` refuses it (${codes.map((code) => linkTo(`diagnostics/${code}`, code)).join(', ')}).\n\n`;
  const beside =
    alone === true ? '' : `\nIt stands beside ${linkTo('reference/example-policy', 'the policy of the examples')}.\n`;
  return `${note}\`\`\`writ${alone === true ? ' alone' : ''}\n${example}\`\`\`\n${beside}`;
}

function attributePath({ root, name }: (typeof BUILT_IN_ATTRIBUTES)[number]): string {
  const start = root === 'message' ? '(message)' : root === 'toolCallItem' ? '(tool call)' : root;
  return name === '' ? start : `${start}.${name}`;
}

function isHolder(kind: Declaration['kind']): kind is ClauseHolder {
  return kind in CLAUSES_OF;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function keysOf<K extends string>(table: { readonly [key in K]: unknown }): K[] {
  return Object.keys(table) as K[];
}
