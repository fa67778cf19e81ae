/**
 * The prompt's strata in Rego: classification, output tokens, candidates, what removes them, choice, effects. A
 * relation a stratum; its entries name the model that they speak of.
 */
import { capName } from '../plan/budget.ts';
import { isJudgedWithoutModel } from '../plan/keep.ts';
import type { Budget, ModelExpr, Preference, PromptEvent, Route } from '../plan/plan.ts';
import { addClassification, classifiesThatFired } from './classification-section.ts';
import { alternatives } from './condition.ts';
import { byModels, decisionRule, firing, readersRule, type Section } from './event-sections.ts';
import type { Names } from './names.ts';
import { alwaysDenies, newSection, pathSet, readable, type SectionInProgress } from './section.ts';
import { comment, heading, lines, member, quoted, rule, setOfTexts } from './text.ts';

const CHOICE_PATHS = ['prompt.requested_model', 'prompt.output_tokens', 'prompt.tokens_estimate'];

export function promptSection(event: PromptEvent, names: Names): Section {
  const section = newSection('prompt', names);
  section.readers.push(`["choice of model", ${setOfTexts(CHOICE_PATHS)}, true]`);
  const strata = [
    [heading('prompt: classification'), () => addClassification(section, event.classify)],
    [heading('prompt: output tokens'), () => addOutputTokens(section, event)],
    [heading('prompt: candidates'), () => addCandidates(section, event)],
    [heading('prompt: what removes them'), () => addRemovals(section, event)],
    [heading('prompt: choice'), () => addChoice(section)],
    [heading('prompt: rules'), () => addRules(section, event)],
    [heading('prompt: decision'), () => addDecision(section, event)],
  ] as const;
  for (const [title, add] of strata) {
    section.text.push(title);
    add();
  }
  return { event: 'prompt', decision: 'prompt_decision', text: section.text.join('\n\n') };
}

// ------------------------------------------------------------------------------------------------------------------
// output tokens

function addOutputTokens(section: SectionInProgress, event: PromptEvent): void {
  const { names, text } = section;
  for (const limit of event.limits) {
    section.reads(limit.rule, limit.reads, 'always denies');
    section.titled(
      { name: limit.rule, span: limit.span },
      perModel(
        section,
        limit.rule,
        'limits',
        (model) => `[${model}, ${quoted(limit.rule)}, ${limit.tokens}]`,
        limit.reads,
        limit.when,
      ),
    );
  }
  const asked = factRule(names, 'prompt.output_tokens');
  const limits = section.has('limits') ? ' | {limit[2] | some limit in prompt_limits; limit[0] == model}' : '';
  text.push(
    `${comment('What the client asks for, else what the model may say; lowered by every limit that fires.')}\nprompt_asked(_) := ${asked}.value if {\n\t${asked}.state == "known"\n}`,
    `prompt_asked(model) := model.max_output if {\n\t${asked}.state != "known"\n}`,
    `prompt_output_at := {model: tokens |\n\tsome model, entry in data.writ.catalog.models\n\ttokens := at_least_zero(min({prompt_asked(entry)}${limits}))\n}`,
  );
}

// ------------------------------------------------------------------------------------------------------------
// candidates

function addCandidates(section: SectionInProgress, event: PromptEvent): void {
  const { names, text } = section;
  const requested = factRule(names, 'prompt.requested_model');
  const named = event.routes.flatMap((route) => (route.requested.kind === 'name' ? [route.requested.name] : []));

  const serving = event.routes.map((route) =>
    rule(`prompt_route := ${quoted(route.name)}`, [
      ...(route.requested.kind === 'name'
        ? [`${requested}.value == ${names.text(route.requested.name)}`]
        : [
            `${requested}.state == "known"`,
            ...(named.length === 0
              ? []
              : [`not ${requested}.value in {${named.map((name) => names.text(name)).join(', ')}}`]),
          ]),
    ]),
  );
  text.push(`${comment('The route that serves the requested name.')}\ndefault prompt_route := null`, ...serving);
  text.push(
    `${comment('The model of the catalog that has the requested name.')}\nprompt_requested := data.writ.catalog.by_wire_name[${requested}.value]`,
  );

  for (const route of event.routes) {
    section.titled(
      route,
      route.preferences.flatMap((preference, at) => preferring(section, route, preference, at)),
    );
  }
  text.push(
    `${comment('Without a route: the requested model itself.')}\n${section.adds('prefers', '[0, 0, prompt_requested]', ['prompt_route == null'])}`,
    [
      comment('Best first, each where it is first named. None where what the choice itself reads has failed.'),
      'prompt_candidates := [] if {',
      `\ttouched(${setOfTexts(CHOICE_PATHS)})`,
      '} else := [model |',
      '\tsome [preference, place, model] in sort(prompt_prefers)',
      '\tnot prompt_named_before(preference, place, model)',
      ']',
    ].join('\n'),
    rule('prompt_named_before(preference, place, model)', [
      'some earlier in prompt_prefers',
      'earlier[2] == model',
      '[earlier[0], earlier[1]] < [preference, place]',
    ]),
  );
}

function preferring(section: SectionInProgress, route: Route, preference: Preference, at: number): readonly string[] {
  const { names } = section;
  const { target } = preference;
  const scope = section.scope(route.name);
  const serves = `prompt_route == ${quoted(route.name)}`;
  const what =
    target.kind === 'model'
      ? names.model(target.model)
      : target.kind === 'requested'
        ? 'the requested model'
        : 'every model by price';
  const bodies = byModels(names, preference.when).flatMap(({ models, expr }) => {
    // A preference for one model reads its condition at that model alone.
    if (target.kind === 'model' && models !== 'all' && !models.includes(names.model(target.model))) return [];
    const among = models === 'all' || target.kind === 'model' ? [] : setOfTexts(models);
    return alternatives(expr, scope).map((body) => {
      const before = [serves, ...readable(names, preference.reads)];
      switch (target.kind) {
        case 'model':
          return section.adds('prefers', `[${at}, 0, ${quoted(names.model(target.model))}]`, [...before, ...body]);
        case 'requested':
          return section.adds('prefers', `[${at}, 0, prompt_requested]`, [
            ...before,
            ...(among.length === 0 ? [] : [`prompt_requested in ${among}`]),
            ...body,
          ]);
        case 'cheapest':
          return section.adds('prefers', `[${at}, place, model]`, [
            ...before,
            'some place, model in data.writ.catalog.by_price',
            ...(among.length === 0 ? [] : [`model in ${among}`]),
            ...body,
          ]);
      }
    });
  });
  const [first = '', ...rest] = bodies;
  return [`${comment(`${at + 1}: ${what}`)}${first === '' ? '' : `\n${first}`}`, ...rest, ...scope.helpers];
}

// ---------------------------------------------------------------------------------------------------------------
// removal

function addRemovals(section: SectionInProgress, event: PromptEvent): void {
  const { names, text } = section;
  for (const requirement of event.requirements) {
    section.reads(requirement.rule, requirement.reads);
    section.titled(
      {
        name: requirement.rule,
        span: requirement.span,
        ...(requirement.title === undefined ? {} : { title: requirement.title }),
      },
      perModel(
        section,
        requirement.rule,
        'removes',
        (model) => `[${model}, 0, ${quoted(requirement.rule)}]`,
        requirement.reads,
        requirement.removes,
      ),
    );
  }
  addWorstCases(section, event.budgets);
  for (const budget of event.budgets) addBudget(section, budget);
  text.push(
    `${comment("The prompt and its reply must fit into the model's context window.")}\n${section.adds(
      'removes',
      '[model, 2, "context window"]',
      [
        'some model, entry in data.writ.catalog.models',
        `at_least_zero(${factRule(names, 'prompt.tokens_estimate')}.value) + prompt_output_at[model] > entry.context`,
      ],
    )}`,
  );
}

function addWorstCases(section: SectionInProgress, budgets: readonly Budget[]): void {
  const { names, text } = section;
  const input = `at_least_zero(${factRule(names, 'prompt.input_tokens_bound')}.value)`;
  const choices = `at_least_zero(${factRule(names, 'prompt.choices')}.value)`;
  if (budgets.some(({ counts }) => counts === undefined)) {
    text.push(
      [
        comment('The most that the request can cost at a model, in micro-units.'),
        'prompt_cost_at := {model: micro_units(input_cost + output_cost) |',
        '\tsome model, entry in data.writ.catalog.models',
        `\tinput_cost := ${input} * entry.input_price`,
        `\toutput_cost := (${choices} * prompt_output_at[model]) * entry.output_price`,
        '}',
      ].join('\n'),
    );
  }
  if (budgets.some(({ counts }) => counts === 'tokens')) {
    text.push(
      [
        comment('The most tokens that the request and its reply can have at a model.'),
        'prompt_tokens_at := {model: micro_units((input_tokens + output_tokens) * 1000000) |',
        '\tsome model, _ in data.writ.catalog.models',
        `\tinput_tokens := ${input}`,
        `\toutput_tokens := ${choices} * prompt_output_at[model]`,
        '}',
      ].join('\n'),
    );
  }
}

/** What a budget or a rate counts of the request at a model, at most. */
function worstCase({ counts }: Budget, model: string): string {
  if (counts === 'requests') return '1';
  return `${counts === 'tokens' ? 'prompt_tokens_at' : 'prompt_cost_at'}[${model}]`;
}

function addBudget(section: SectionInProgress, budget: Budget): void {
  const { names } = section;
  const name = capName(budget);
  section.reads(name, budget.reads, 'always denies');
  const scope = section.scope(name);
  const applies = alternatives(budget.applies, scope).map((body) =>
    section.adds('applies', quoted(budget.name), [...readable(names, budget.reads), ...body]),
  );
  if (applies.length === 0) {
    section.titled({ ...budget, name }, [comment('It never applies.')]);
  } else {
    const applying = `${quoted(budget.name)} in prompt_budgets`;
    section.titled({ ...budget, name }, [
      ...applies,
      ...scope.helpers,
      section.adds('budgets', quoted(budget.name), [
        `${quoted(budget.name)} in prompt_applies`,
        ...readable(names, costReads(names, budget)),
      ]),
      section.adds('removes', `[model, 1, ${quoted(name)}]`, [
        applying,
        'some model in models',
        `${worstCase(budget, 'model')} > ${names.fact(budget.headroom)}.value`,
      ]),
    ]);
    for (const threshold of budget.thresholds) {
      const reached = [applying, `${names.fact(budget.spent)}.value * 100 >= ${budget.limit} * ${threshold.percent}`];
      section.titled(
        { name: `${name} at ${threshold.percent} percent`, span: threshold.span },
        perModel(
          section,
          name,
          'removes',
          (model) => `[${model}, 1, ${quoted(name)}]`,
          [...threshold.reads, budget.spent],
          threshold.removes,
          reached,
        ),
      );
    }
  }
}

/** What a budget that applies reads to compare the worst case with what is left. */
function costReads(names: Names, budget: Budget): readonly number[] {
  if (budget.counts === 'requests') return [budget.headroom];
  return [budget.headroom, ...factsAt(names, 'prompt.input_tokens_bound'), ...factsAt(names, 'prompt.choices')];
}

/** Entries of a relation for each model at which a condition holds. */
function perModel(
  section: SectionInProgress,
  owner: string,
  relation: 'limits' | 'removes',
  entry: (model: string) => string,
  reads: readonly number[],
  when: ModelExpr,
  before: readonly string[] = [],
): readonly string[] {
  const scope = section.scope(owner);
  const bodies = byModels(section.names, when).flatMap(({ models, expr }) =>
    alternatives(expr, scope).map((body) => {
      const one = models !== 'all' && models.length === 1 ? quoted(models[0]!) : undefined;
      const some = one === undefined ? [`some model in ${models === 'all' ? 'models' : setOfTexts(models)}`] : [];
      return section.adds(relation, entry(one ?? 'model'), [
        ...before,
        ...readable(section.names, reads),
        ...some,
        ...body,
      ]);
    }),
  );
  return bodies.length === 0 ? [comment('It never holds.')] : [...bodies, ...scope.helpers];
}

// ----------------------------------------------------------------------------------------------------------------
// choice

function addChoice(section: SectionInProgress): void {
  section.text.push(
    'prompt_removed := {removal[0] | some removal in prompt_removes}',
    'prompt_eligible := [model | some model in prompt_candidates; not model in prompt_removed]',
    'default prompt_model := null',
    'prompt_model := prompt_eligible[0]',
    [
      comment('Why no model is left.'),
      'prompt_model_reasons := [] if {',
      '\tprompt_model != null',
      '} else := [] if {',
      `\ttouched(${setOfTexts(CHOICE_PATHS)})`,
      '} else := [{"kind": "unknown_model"}] if {',
      '\tcount(prompt_candidates) == 0',
      '} else := [{"kind": "removed", "model": model, "by": prompt_removers(model)} |',
      '\tsome model in prompt_candidates',
      ']',
    ].join('\n'),
    `${comment('Rules, then budgets, then the context window.')}\nprompt_removers(model) := [name |\n\tsome [_, name] in sort({[removal[1], removal[2]] | some removal in prompt_removes; removal[0] == model})\n]`,
  );
}

// -----------------------------------------------------------------------------------------------------------------
// rules

function addRules(section: SectionInProgress, event: PromptEvent): void {
  for (const each of event.rules) {
    section.reads(each.name, each.reads, alwaysDenies(each));
    const needsModel = each.when.kind === 'all' && !isJudgedWithoutModel(each);
    section.titled(
      each,
      firing(section, each, needsModel ? ['prompt_model != null'] : [], (models) => `prompt_model in ${models}`),
    );
  }
}

// --------------------------------------------------------------------------------------------------------------
// decision

function addDecision(section: SectionInProgress, event: PromptEvent): void {
  const { names, text } = section;
  const routeReaders = event.routes.flatMap((route) => {
    const readers = route.preferences
      .filter(({ reads }) => reads.length > 0)
      .map(({ reads }) => `[${quoted(`route ${route.name}`)}, ${pathSet(names, reads)}, false]`);
    return readers.length === 0 ? [] : [`${quoted(route.name)}: ${lines('[', [...new Set(readers)], ']')}`];
  });
  text.push(readersRule(section));
  if (routeReaders.length > 0) {
    text.push(
      `${comment('Who reads facts in routes. Only the route that serves the request can deny it.')}\nprompt_route_readers := ${lines('{', routeReaders, '}')}`,
      'prompt_serving_readers := object.get(prompt_route_readers, prompt_route, [])',
    );
  }
  if (section.has('applies')) {
    const levelReaders = event.budgets.map((budget) => {
      const reads = [
        costReads(names, budget),
        ...budget.thresholds.map((threshold) => [...threshold.reads, budget.spent]),
      ];
      const readers = new Set(reads.map((facts) => `[${quoted(capName(budget))}, ${pathSet(names, facts)}, true]`));
      return `${quoted(budget.name)}: ${lines('[', [...readers], ']')}`;
    });
    text.push(
      `${comment('What a budget reads where it applies. The levels of others are not looked at.')}\nprompt_level_readers := ${lines('{', levelReaders, '}')}`,
      'prompt_applying_readers := [reader |\n\tsome budget in prompt_applies\n\tsome reader in prompt_level_readers[budget]\n]',
    );
  }
  if (event.default === 'deny') {
    text.push(
      comment('With no model left it is not asked whether something allows.') + '\ndefault prompt_passes := false',
      rule('prompt_passes', ['prompt_model == null']),
      ...(section.has('allows') ? [rule('prompt_passes', ['count(prompt_allows) > 0'])] : []),
    );
  }
  if (event.budgets.length > 0) {
    text.push(...reservations(event.budgets, section.set('budgets')));
  }
  const fired = [
    section.set('fires'),
    ...classifiesThatFired(section),
    ...(section.has('limits') ? ['{each[1] | some each in prompt_limits; each[0] == prompt_model}'] : []),
    '{each[2] | some each in prompt_removes; each[1] == 0; each[0] in prompt_candidates}',
  ];
  text.push(
    `${comment('Every rule whose condition held, those included that only choose.')}\nprompt_fired := union({\n${fired.map((set) => `\t${set},\n`).join('')}})`,
  );
  text.push('default prompt_output := null', 'prompt_output := prompt_output_at[prompt_model]');
  const always = ['prompt_readers', ...(section.has('applies') ? ['prompt_applying_readers'] : [])];
  const readers = listOf([...always, ...(routeReaders.length > 0 ? ['prompt_serving_readers'] : [])]);
  const allReaders = listOf([...always, ...(routeReaders.length > 0 ? ['joined(prompt_route_readers)'] : [])]);
  text.push(
    decisionRule(section, 'prompt', {
      reasons: [
        `failed_reasons(${readers})`,
        'prompt_model_reasons',
        ...section.listed('denies', 'rule_reasons'),
        ...(event.default === 'deny' ? ['default_reasons(prompt_passes)'] : []),
      ],
      fired: 'prompt_fired',
      model: 'prompt_model',
      classification: 'prompt_classification',
      outputTokens: 'prompt_output',
      reserve: event.budgets.length > 0 ? 'prompt_reserve' : '[]',
      failed: `failed_among(${allReaders})`,
    }),
  );
}

function reservations(budgets: readonly Budget[], applying: string): readonly string[] {
  if (budgets.every(({ counts }) => counts === undefined))
    return [
      `prompt_reserve := [{"budget": budget, "amount": prompt_cost_at[prompt_model]} |\n\tsome budget in sort(${applying})\n]`,
    ];
  const amounts = budgets.map((budget) => `${quoted(budget.name)}: ${worstCase(budget, 'prompt_model')}`);
  return [
    `${comment('What each reserves of the request.')}\nprompt_worst := ${lines('{', amounts, '}')} if prompt_model != null`,
    `prompt_reserve := [{"budget": budget, "amount": prompt_worst[budget]} |\n\tsome budget in sort(${applying})\n]`,
  ];
}

/** One list of several. */
function listOf(lists: readonly string[]): string {
  return lists.length === 1 ? lists[0]! : `joined([${lists.join(', ')}])`;
}

function factsAt(names: Names, path: string): readonly number[] {
  return names.plan.facts.filter((fact) => names.path(fact.id) === path).map((fact) => fact.id);
}

function factRule(names: Names, path: string): string {
  const [fact] = factsAt(names, path);
  return fact === undefined ? 'unknown' : names.fact(fact);
}
