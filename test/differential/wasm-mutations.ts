/**
 * Faults planted in the emitter of `decide` itself (compiler/wasm, compiler/tables): for each kind of node, stratum and
 * table what a careless author would have written. Both wasm backends are linked with every one of them.
 */
import type { Plan } from '../../compiler/plan/plan.ts';
import type { Mutation } from '../mutants/mutant.ts';

export interface WasmMutation extends Mutation {
  /** For a fault that few plans meet: those that may. */
  readonly shows?: (plan: Plan) => boolean;
}

export const WASM_MUTATIONS: readonly WasmMutation[] = [
  ...inFile('compiler/wasm/condition.ts', [
    ['not: lost', 'return i32.eqz(condition(expr.of, scope));', 'return condition(expr.of, scope);'],
    ['and: read as or, where cheap', 'cheap ? i32.and(left, right)', 'cheap ? i32.or(left, right)'],
    ['and: the first part only, where dear', 'module.if(left, right, i32.const(0))', 'left'],
    ['or: read as and, where dear', 'module.if(left, i32.const(1), right)', 'module.if(left, right, i32.const(0))'],
    ['compare: lt is le', "lt: 'lt_s'", "lt: 'le_s'"],
    ['compare: le is lt', "le: 'le_s'", "le: 'lt_s'"],
    ['compare: gt is ge', "gt: 'gt_s'", "gt: 'ge_s'"],
    ['compare: ge is gt', "ge: 'ge_s'", "ge: 'gt_s'"],
    ['compare: eq is ge', "eq: 'eq'", "eq: 'ge_s'"],
    ['compare: negative numbers are large', "le: 'le_s'", "le: 'le_u'"],
    ['compare: the left side need not be known', '...left.known, ...right.known', '...right.known'],
    ['rank: off by one', 'value: module.i64.const(BigInt(rank))', 'value: module.i64.const(BigInt(rank + 1))'],
    ['in_hours: clocks never change', 'i32.const(offsets.length)', 'i32.const(1)'],
    ['in_hours: the first hours only', 'i32.const(spans.length)', 'i32.const(Math.min(1, spans.length))'],
    ['every: read as some', "const isSome = expr.kind === 'some';", 'const isSome = true;'],
    [
      'some, every: the wrong step',
      'place.type.fields.length * SLOT_BYTES',
      '(place.type.fields.length - 1) * SLOT_BYTES',
    ],
    ['some, every: the first element only', 'module.br_if(label, left.get()),', ''],
    [
      'some, every: the last element is forgotten',
      'left.set(count(place, scope)),',
      'left.set(i32.sub(count(place, scope), i32.const(1))),',
    ],
    [
      'some, every: hold of a collection that is not known',
      'return guarded([place], scope, () =>\n    module.block(',
      'return ((_: unknown, __: unknown, holds: () => Code) => holds())([place], scope, () =>\n    module.block(',
    ],
  ]),
  ...inFile('compiler/wasm/place.ts', [
    ['known: negated', 'code.module.i32.eq(stateOf(', 'code.module.i32.ne(stateOf('],
    ['fact: the slot before', 'slot: fact.id, type', 'slot: Math.max(0, fact.id - 1), type'],
    ['field: what is optional is known', 'isKnown: field.optional !== true', 'isKnown: true'],
    ['field: always the first', 'slot: ref.field, type', 'slot: 0, type'],
    ['what is not known compares as true', 'holds(), module.i32.const(0))', 'holds(), module.i32.const(1))'],
    [
      'enum set: the high word is the low one',
      'SLOT_VALUE2, 8, place.base()',
      'SLOT_VALUE, 8, place.base()',
      hasSubsetOfMembers,
    ],
  ]),
  ...inFile('compiler/wasm/text-conditions.ts', [
    [
      'text_equals: another member',
      'i64.eq(value(place, scope), i64.const(BigInt(ordinal)))',
      'i64.eq(value(place, scope), i64.const(BigInt(ordinal + 1)))',
    ],
    [
      'text_equals: read as contains',
      "return ask(scope.code, 'text_is', [\n      slotAddress(place, scope),",
      "return ask(scope.code, 'text_contains', [\n      slotAddress(place, scope),",
    ],
    ['text_contains: read as equals', "ask(scope.code, 'text_contains', [", "ask(scope.code, 'text_is', ["],
    [
      'text_equals: two members of one enum always',
      'return i64.eq(value(left, scope), value(right, scope));',
      'return i64.eq(value(left, scope), value(left, scope));',
    ],
    [
      'text_equals: a text with itself',
      ": ask(scope.code, 'text_is', [slotAddress(left, scope), text.address, text.bytes]);",
      ": ask(scope.code, 'text_is', [slotAddress(right, scope), text.address, text.bytes]);",
    ],
    ['contains: a member by the name before it', 'i32.const(names), i32.shl', 'i32.const(names - 8), i32.shl'],
  ]),
  ...inFile('compiler/wasm/set-conditions.ts', [
    [
      'overlaps: a set of texts with texts of the policy, read as subset',
      "'sets_overlap', [...pairs(place, scope), ...constantPairs(right.values, scope)]",
      "'set_within', [...pairs(place, scope), ...constantPairs(right.values, scope)]",
      (plan) => asksOfMembers(plan, 'overlaps'),
    ],
    [
      'overlaps: with all other members',
      'i64.and(value(place, scope), i64.const(low))',
      'i64.and(value(place, scope), i64.const(~low))',
    ],
    [
      'overlaps: two facts of which one has a member',
      'isAny(i64.and(value(a, scope), value(b, scope))',
      'isAny(i64.or(value(a, scope), value(b, scope))',
    ],
    [
      'overlaps: two sets of texts read as subset',
      "ask(scope.code, 'sets_overlap', [...pairs(a, scope), ...pairs(b, scope)])",
      "ask(scope.code, 'set_within', [...pairs(a, scope), ...pairs(b, scope)])",
    ],
    [
      'subset: a set of texts of texts of the policy, read as overlaps',
      "'set_within', [...pairs(place, scope), ...constantPairs(right.values, scope)]",
      "'sets_overlap', [...pairs(place, scope), ...constantPairs(right.values, scope)]",
      (plan) => asksOfMembers(plan, 'subset'),
    ],
    ['subset: of all other members', 'i64.const(~low)', 'i64.const(low)'],
    [
      'subset: two facts, the other way round',
      'outside(value(place, scope), value(other, scope))',
      'outside(value(other, scope), value(place, scope))',
    ],
    [
      'subset: two sets of texts, the other way round',
      "'set_within', [...pairs(place, scope), ...pairs(other, scope)]",
      "'set_within', [...pairs(other, scope), ...pairs(place, scope)]",
    ],
    [
      'members: the last is forgotten',
      'i32.const(code.writer.texts(values)), code.module.i32.const(values.length)',
      'i32.const(code.writer.texts(values)), code.module.i32.const(Math.max(0, values.length - 1))',
    ],
  ]),
  ...inFile('compiler/wasm/site-code.ts', [
    ['failure: touched rules fire', 'word) => module.i64.eqz(word)', 'word) => module.i64.eq(word, word)'],
    ['failure: what always denies does not', "'deny' || touch.failsClosed)", "'deny')"],
    ['failure: a fact that fails closed does not', 'code.plan.facts[fact]!.failsClosed || storeFacts', 'storeFacts'],
    ['failure: routes that do not serve count', 'touch.route === undefined ? []', 'touch.route !== null ? []'],
    ['failure: budgets that do not apply count', 'touch.budget === undefined ? []', 'touch.budget !== null ? []'],
    [
      'failure: levels of all budgets are listed',
      'if (touches.some((touch) => touch.budget !== undefined)) keepLookedAt(body, applies);',
      '',
    ],
    [
      'failure: the state is that of another fact',
      'stateOf(code, facts.get(), fact), module.i32.const(FACT_FAILED)',
      'stateOf(code, facts.get(), Math.max(0, fact - 1)), module.i32.const(FACT_FAILED)',
    ],
    ['each: a constant is lost', 'constant |= expr.value ? maskOf([model]) : 0n', 'constant |= 0n'],
    [
      'each: equal conditions hold at the first model only',
      'group.models.push(model);',
      'if (group.models.length === 0) group.models.push(model);',
    ],
    ['each: read at any model', 'module.i64.and(modelMask(when, body), chosen.get())', 'modelMask(when, body)'],
    ['rules: the bit of the next one', 'asBit(code, fires, node & 63)', 'asBit(code, fires, (node + 1) & 63)'],
    [
      'rules: the last that fires only',
      'fired.set(module.i64.or(fired.get(), asBit(code, fires, node & 63)))',
      'fired.set(asBit(code, fires, node & 63))',
    ],
    ['deny, allow: any rule does', 'rule.effects.some((effect) => effect.kind === kind)', 'rule.effects.length > 0'],
    ['withhold_chunk: negated', 'module.i32.eqz(condition(effect.holds, body))', 'condition(effect.holds, body)'],
    [
      'allow_chunk, withhold_chunk: of rules that do not fire',
      'every(code, [hasFired(body, effect), untouched(body, effect.reads)])',
      'untouched(body, effect.reads)',
    ],
    [
      'allow_chunk, withhold_chunk: touched ones count',
      'every(code, [hasFired(body, effect), untouched(body, effect.reads)])',
      'hasFired(body, effect)',
    ],
    [
      'redact: the weakest mode',
      'const mode = code.plan.redactions.reduce(',
      'const mode = code.plan.redactions.reduceRight(',
    ],
    [
      'redact: restored values always',
      'asked.filter(({ effect }) => effect.includingRestored)',
      'asked.filter(({ effect }) => effect !== null)',
    ],
  ]),
  ...inFile('compiler/wasm/decide-rules.ts', [
    [
      'default: always allows',
      "site.default === 'deny' ? module.i32.eqz(passes.get()) : module.i32.const(0)",
      'module.i32.const(0)',
    ],
    ['retrieval: chunks that may pass do not count', 'site.passesUndecided ? 1 : 0', '0'],
    [
      'allow_chunk: does nothing',
      'for (const name of chunkEffects)\n    build.add(passes.set(module.i32.or(passes.get(), module.call(',
      'for (const name of chunkEffects)\n    build.add(build.local(I32).set(module.i32.or(passes.get(), module.call(',
    ],
    ['withhold_chunk: does nothing', '    withholds(body),\n', ''],
    [
      'each: the model after the chosen one',
      'valueOf(code, body.facts.get(), fact.id));',
      'code.module.i64.add(valueOf(code, body.facts.get(), fact.id), i64.const(1n)));',
    ],
    ['deny: does nothing', "    anyFired(code, fired, nodesWith(site, 'deny')),\n", ''],
    ['failure: never denies', '    touchedDenies(body, touched, module.i32.const(-1), []),\n', ''],
    [
      'classification: of completions does not fire',
      'word.set(module.i64.or(word.get(), raising[at]!.get()))',
      'word.set(module.i64.or(word.get(), word.get()))',
    ],
    [
      'classification: of completions is not read',
      'classification === undefined ? begun : { ...begun, classification }',
      'classification === undefined ? begun : { ...begun }',
    ],
  ]),
  ...inFile('compiler/wasm/classification.ts', [
    ['classification: the lowest', 'i32.gt_s(higher.get(), rank.get())', 'i32.ge_s(rank.get(), higher.get())'],
    [
      'classification: one of each name counts',
      'rankOf(each.member)',
      'rankOf(classify.find(({ name }) => name === each.name)!.member)',
    ],
    [
      'classification: does not fail',
      'module.select(isWhole, rank.get(), i32.const(-1))',
      'module.select(isWhole, rank.get(), rank.get())',
    ],
  ]),
  ...inFile('compiler/wasm/decide-prompt.ts', [
    [
      'hold: the first rule does not',
      "anyFired(code, fired, nodesWith(site, 'hold'))",
      "anyFired(code, fired, nodesWith(site, 'hold').slice(1))",
    ],
    [
      'requirement: a touched one removes',
      'i64.and(maskIfUntouched(body, requirement.reads), modelMask(requirement.removes, body))',
      'modelMask(requirement.removes, body)',
    ],
    ['requirement: is not named', 'storeRemoved(body, site.requirementRemovers[at]!, removed.get());', ''],
    [
      'requirement: removes nothing',
      'build.add(left.set(i64.and(left.get(), i64.xor(removed.get(), i64.const(-1n)))));',
      '',
    ],
    [
      'limits: raise',
      'i64.lt_s(i64.const(BigInt(limit.tokens)), output.get())',
      'i64.gt_s(i64.const(BigInt(limit.tokens)), output.get())',
    ],
    [
      'limits: a touched one limits',
      'i64.and(maskIfUntouched(body, limit.reads), modelMask(limit.when, body))',
      'modelMask(limit.when, body)',
    ],
    ['context window: must not be filled', 'const isOutside = i64.gt_s(', 'const isOutside = i64.ge_s('],
    ['context window: the reply does not count', 'i64.add(tokens.get(), output.get())', 'tokens.get()'],
    ['model: the output limit of another', 'BigInt(model.maxOutput)', 'BigInt(code.plan.models[0]!.maxOutput)'],
    ['budget: all of it may not be spent', 'i64.le_s(worst[', 'i64.lt_s(worst['],
    [
      'rate: a request counts for nothing',
      'requests: () => i64.const(1n), tokens: () => counted',
      'requests: () => i64.const(0n), tokens: () => counted',
    ],
    ['rate: tokens at the price of money', 'tokens: () => counted.get()', 'tokens: () => cost.get()'],
    [
      'rate: of tokens, one reply, whatever is asked',
      '[input, one(), replies, output, one()]',
      '[input, one(), module.i64.const(1n), output, one()]',
    ],
    ['rate: a request is set aside twice', 'requests: () => i64.const(1n),\n', 'requests: () => i64.const(2n),\n'],
    [
      'budget: prices swapped',
      '[inputTokens.get(), prices.input, replies.get(), output.get(), prices.output]',
      '[inputTokens.get(), prices.output, replies.get(), output.get(), prices.input]',
    ],
    [
      'budget: one reply, whatever is asked',
      'replies.get(), output.get(), prices.output',
      'i64.const(1n), output.get(), prices.output',
    ],
    [
      'budget: touched ones judge',
      'every(code, [applying[at]!.get(), untouched(body, costReads(code.plan, budget))])',
      'applying[at]!.get()',
    ],
    ['budget: always applies', 'condition(budget.applies, body)', 'i32.const(1)'],
    [
      'budget: reserves where it does not apply',
      'maskIf(code, applies.get(), -1n)',
      'maskIf(code, i32.or(applies.get(), i32.const(1)), -1n)',
    ],
    [
      'budget: reserves one too many',
      "worst[budget.counts ?? 'money'](), i64.const(1n)",
      "worst[budget.counts ?? 'money'](), i64.const(2n)",
    ],
    ['threshold: later than reached', 'const isReached = i64.ge_s(', 'const isReached = i64.gt_s('],
    [
      'threshold: the percent is not read',
      'BigInt(budget.limit) * BigInt(threshold.percent)',
      'BigInt(budget.limit) * 100n',
    ],
    [
      'counts below zero count',
      'i64.and(held.get(), i64.xor(i64.shr_s(held.get(), i64.const(63n)), i64.const(-1n)))',
      'held.get()',
    ],
    [
      'choice: the last preference',
      'let mask = offered(preferences - 1);\n  for (let at = preferences - 2; at >= 0; at--)',
      'let mask = offered(0);\n  for (let at = 1; at < preferences; at++)',
    ],
    ['no model: every rule is judged', 'isJudgedWithoutModel(rule)', "rule.when.kind === 'all'"],
    [
      'no model: what tells somebody is not judged',
      'isJudgedWithoutModel(rule)',
      'isJudgedWithoutModel({ when: rule.when, effects: rule.effects })',
    ],
    ['no model: is unknown where the choice has failed', 'i32.and(isEmpty(), choiceHolds.get())', 'isEmpty()'],
    ['no model: is allowed', '    i32.eqz(isChosen.get()),\n', ''],
  ]),
  ...inFile('compiler/wasm/candidates.ts', [
    [
      'route: named ones are passed over',
      'module.if(isRequested(body, requested, name), offers(at), next)',
      'module.if(i32.and(isRequested(body, requested, name), i32.const(0)), offers(at), next)',
    ],
    ['route: of any name is passed over', "served.kind === 'any')", "served.kind === 'any' && served === null)"],
    [
      'preference: a touched one offers',
      'reads.length === 0 ? i64.const(-1n) : maskIf(code, untouched(body, reads), -1n)',
      'i64.const(-1n)',
    ],
    [
      'preference: cheapest is the first by price alone',
      "target.kind === 'cheapest' ? -1n",
      "target.kind === 'cheapest' ? 1n",
    ],
    ['preference: requested is any', 'asked.get()\n          : i64.const', 'i64.const(-1n)\n          : i64.const'],
    [
      'no route: nothing is offered',
      'i64.store(body.site.site.layout.preferences, 8, body.result.get(), asked.get()),',
      '',
    ],
  ]),
  ...inFile('compiler/wasm/decide.ts', [
    [
      'dispatch: what goes out has a store',
      'EVENT_COMPLETION, EVENT_EGRESS, EVENT_EXCHANGE]',
      'EVENT_COMPLETION, EVENT_EXCHANGE]',
    ],
    ['models: by name, not by price', '? (model) => price.get(model)!', '? (model) => model'],
    ['store: any', 'module.i32.and(isEvent, isStore)', 'isEvent', (plan) => plan.stores.length > 1],
  ]),
  ...inFile('compiler/wasm/site.ts', [
    [
      'exchange: what failed denies it',
      'event === EVENT_EXCHANGE ? [] : readers',
      'readers',
      (plan) =>
        plan.events.some(({ kind, rules }) => kind === 'exchange' && rules.some(({ reads }) => reads.length > 0)),
    ],
    [
      'reasons: messages unsorted',
      'compareText(a.rule, b.rule) || compareText(a.message, b.message)',
      'compareText(a.rule, b.rule) || compareText(b.message, a.message)',
      deniesTwice,
    ],
    [
      'tags: unsorted',
      'compareText(a.name, b.name) || compareText(a.value, b.value)',
      'compareText(b.name, a.name) || compareText(b.value, a.value)',
      (plan) => asksTwice(plan, 'tag'),
    ],
    [
      'set: unsorted',
      'compareText(a.field, b.field) || compareWireValues(a.value, b.value)',
      'compareText(b.field, a.field) || compareWireValues(b.value, a.value)',
      (plan) => asksTwice(plan, 'set'),
    ],
    ['keep_newest: facts not read', "if (effect.kind === 'keep_newest')", 'if (effect === null)', keepsNewest],
    [
      'allow_chunk, withhold_chunk: facts not read',
      "if (effect.kind === 'allow_chunk' || effect.kind === 'withhold_chunk')\n          touches",
      'if (effect === null)\n          touches',
    ],
    [
      'tool_call: of none is of the first',
      'event.tool === null ? plan.tools.length : tool',
      'event.tool === null ? 0 : tool',
      decidesCalls,
    ],
    ['tool_call: none is withheld', ' || event === EVENT_TOOL_CALL;', ';', decidesCalls],
    ['failed facts: unsorted', 'compareText(pathOf(a), pathOf(b))', 'compareText(pathOf(b), pathOf(a))'],
    ['removers: budgets before rules', '[...requirements, ...budgets].map', '[...budgets, ...requirements].map'],
  ]),
  ...inFile('compiler/tables/facts.ts', [
    [
      'number: the scale is not written',
      'writer.u8(address + layout.TYPE_SCALE, type.scale)',
      'writer.u8(address + layout.TYPE_SCALE, 0)',
    ],
    [
      'collection: one more',
      'writer.u32(fields + layout.FIELDS_MOST, type.most)',
      'writer.u32(fields + layout.FIELDS_MOST, type.most + 1)',
    ],
    ['absent: else fails', 'else: layout.ABSENT_ELSE', 'else: layout.ABSENT_FAILS'],
    ['absent: unknown fails', 'unknown: layout.ABSENT_UNKNOWN', 'unknown: layout.ABSENT_FAILS'],
    ['absent: fails is unknown', 'fails: layout.ABSENT_FAILS', 'fails: layout.ABSENT_UNKNOWN'],
    ['else: a number off by one', 'BigInt(Number(value))', 'BigInt(Number(value) + 1)'],
    ['else: a set is empty', 'writer.u32(slot + abi.SLOT_AUX, value.length)', 'writer.u32(slot + abi.SLOT_AUX, 0)'],
    [
      'enum: another one',
      'writer.u16(address + layout.TYPE_ENUM, enumAt(plan, type.enum))',
      'writer.u16(address + layout.TYPE_ENUM, 0)',
    ],
  ]),
  ...inFile('compiler/tables/rules.ts', [
    [
      'denials: of the next rule',
      'writer.u32(record + layout.DENIAL_NODE, node)',
      'writer.u32(record + layout.DENIAL_NODE, node + 1)',
    ],
    [
      'redactions: asked by the next rule',
      'writer.u32(record + layout.REDACTION_NODE, node)',
      'writer.u32(record + layout.REDACTION_NODE, node + 1)',
    ],
    [
      'tags: of the next rule',
      'writer.u32(record + layout.TAG_NODE, node)',
      'writer.u32(record + layout.TAG_NODE, node + 1)',
    ],
    [
      'set: of the next rule',
      'writer.u32(record + layout.SET_NODE, node)',
      'writer.u32(record + layout.SET_NODE, node + 1)',
    ],
    [
      'keep: of the next rule',
      'writer.u32(record + layout.KEEP_NODE, node)',
      'writer.u32(record + layout.KEEP_NODE, node + 1)',
    ],
    ['failed: facts of another reader', "const key = touch.reads.join(',');", "const key = '';"],
    [
      'classification: another enum',
      'enumAt(plan, plan.classification.enum) + 1',
      'enumAt(plan, plan.classification.enum) + 2',
    ],
  ]),
];

type Edit = readonly [name: string, find: string, replace: string, shows?: WasmMutation['shows']];

function inFile(file: string, edits: readonly Edit[]): readonly WasmMutation[] {
  return edits.map(([name, find, replace, shows]) => ({
    name,
    file,
    find,
    replace,
    ...(shows === undefined ? {} : { shows }),
  }));
}

/** Whether a set is compared with one that the policy says. */
function asksOfMembers(plan: Plan, kind: 'overlaps' | 'subset'): boolean {
  return new RegExp(`"kind":"${kind}","left":\\{[^{}]*\\},"right":\\{"kind":"members"`).test(
    JSON.stringify(plan.events),
  );
}

function hasSubsetOfMembers(plan: Plan): boolean {
  return JSON.stringify(plan.events).includes('"kind":"subset"');
}

/** Whether the rules of one event ask for two things of a kind. */
function asksTwice(plan: Plan, kind: 'set' | 'tag'): boolean {
  return plan.events.some((event) => {
    const asked = event.rules.flatMap((rule) => rule.effects.filter((effect) => effect.kind === kind));
    return new Set(asked.map((effect) => JSON.stringify(effect))).size > 1;
  });
}

function deniesTwice(plan: Plan): boolean {
  return plan.events.some((event) =>
    event.rules.some(
      (rule) => new Set(rule.effects.flatMap((each) => (each.kind === 'deny' ? [each.message] : []))).size > 1,
    ),
  );
}

function decidesCalls(plan: Plan): boolean {
  return JSON.stringify(plan.events).includes('"tool_call"');
}

function keepsNewest(plan: Plan): boolean {
  return JSON.stringify(plan.events).includes('"keep_newest"');
}
