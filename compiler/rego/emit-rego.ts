/**
 * Plan → Rego that people can read and any OPA can run: the policy's module, the library that all policies share, and
 * the data document under `writ`. `data.writ.decision` answers with the decision document of compiler/plan/decision.ts,
 * exactly as the interpreter would, for any input. The text is in the style of `opa fmt`, and nothing in it can be
 * undefined without that being denied.
 */
import type { EventPlan, Plan, Span } from '../plan/plan.ts';
import { redactionNames } from '../plan/redaction.ts';
import {
  completionSection,
  egressSection,
  exchangeSection,
  ingestSection,
  retrievalSections,
  type Section,
  toolCallSection,
} from './event-sections.ts';
import { factsSection } from './facts-section.ts';
import { LIBRARY } from './library.ts';
import { type Names, namesOf, type PlaceOf } from './names.ts';
import { promptSection } from './prompt-section.ts';
import { comment, heading, lines, quoted, rule } from './text.ts';

export interface RegoFiles {
  /** `policy.rego`. */
  readonly policy: string;
  /** `library.rego`, the same for every plan. */
  readonly library: string;
  /** What stands at `data.writ`. */
  readonly data: { readonly [key: string]: unknown };
}

/** `place` says where something stands in the source; without the source that is its characters. */
export function emitRego(plan: Plan, place: PlaceOf = charactersOf): RegoFiles {
  const names = namesOf(plan, place);
  const sections = plan.events.flatMap((event) => sectionsOf(event, names));
  const policy = [
    header(plan),
    decisionRules(plan, sections),
    factsSection(names),
    ...sections.map((section) => section.text),
  ].join('\n\n');
  return { policy: `${policy}\n`, library: LIBRARY, data: dataOf(plan, names) };
}

function charactersOf({ file, start, end }: Span): string {
  return `${file}, characters ${start} to ${end}`;
}

function sectionsOf(event: EventPlan, names: Names): readonly Section[] {
  switch (event.kind) {
    case 'prompt':
      return [promptSection(event, names)];
    case 'completion':
      return [completionSection(event, names)];
    case 'tool_call':
      return [toolCallSection(event, names)];
    case 'retrieval':
      return retrievalSections(event, names);
    case 'ingest':
      return [ingestSection(event, names)];
    case 'egress':
      return [egressSection(event, names)];
    case 'exchange':
      return [exchangeSection(event, names)];
  }
}

function header(plan: Plan): string {
  return [
    comment(
      `Policy ${plan.policy}, owned by ${plan.owner}.`,
      `Compiled by writ ${plan.compilerVersion} from the source with SHA-256 ${plan.sourceHash}.`,
      'Each rule of the policy stands below its name, its title, what it cites, and where its source is.',
    ),
    'package writ',
  ].join('\n');
}

/** The entrypoint. Data of another source would give other ranks and prices, so it denies. */
function decisionRules(plan: Plan, sections: readonly Section[]): string {
  const undecidable = lines('{', UNDECIDABLE, '}');
  const sound = `data.writ.source == ${quoted(plan.sourceHash)}`;
  const decisions = sections.map(({ event, store, tool, decision }) =>
    rule(`decision := ${decision}`, [
      sound,
      `input.event == ${quoted(event)}`,
      ...(store === undefined ? [] : [`input.store == ${quoted(store)}`]),
      ...(tool === undefined
        ? []
        : [tool === null ? 'object.get(input, "tool", null) == null' : `input.tool == ${quoted(tool)}`]),
    ]),
  );
  return [
    `${heading('decision')}\n${comment('What cannot be decided is denied: an unknown event, an unknown store, data that is missing or of another policy.')}`,
    `# METADATA\n# title: The decision on one event\n# entrypoint: true\ndefault decision := ${undecidable}`,
    ...decisions,
    `on_failure := ${quoted(plan.onFailure)}`,
  ].join('\n\n');
}

const UNDECIDABLE = [
  '"event": null',
  '"outcome": "deny"',
  '"model": null',
  '"classification": null',
  '"redact": []',
  '"outputTokens": null',
  '"reserve": []',
  '"tags": []',
  '"set": []',
  '"holds": []',
  '"keeps": []',
  '"reasons": [{"kind": "input"}]',
  '"fired": []',
  '"failed": []',
];

function dataOf(plan: Plan, names: Names): RegoFiles['data'] {
  const byWireName: { [name: string]: string } = {};
  for (const model of plan.models.toReversed()) byWireName[model.wireName] = model.name;
  return {
    source: plan.sourceHash,
    catalog: {
      models: Object.fromEntries(
        plan.models.map((model) => [
          model.name,
          {
            wire_name: model.wireName,
            provider: model.provider,
            input_price: model.inputPrice,
            output_price: model.outputPrice,
            context: model.context,
            max_output: model.maxOutput,
          },
        ]),
      ),
      by_wire_name: byWireName,
      by_price: plan.byPrice.map((model) => names.model(model)),
    },
    enums: Object.fromEntries(
      plan.enums.map((type) => [type.name, Object.fromEntries(type.members.map((member, rank) => [member, rank]))]),
    ),
    zones: plan.zones.map(({ name, offsets }) => ({ name, offsets })),
    hours: plan.hours.map(({ name, zone, spans }) => ({ name, zone, spans })),
    redaction_modes: redactionNames(plan),
    texts: names.movedTexts,
  };
}
