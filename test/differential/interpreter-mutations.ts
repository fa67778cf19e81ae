/**
 * Faults planted in the interpreter: the other backends are compared with it, so that a fault in it must come to light
 * too. For each kind of node and each stratum what a careless author would have written.
 */
import type { Mutation } from '../mutants/mutant.ts';

export const INTERPRETER_MUTATIONS: readonly Mutation[] = [
  ...inFile('compiler/interpret/holds.ts', [
    ['const: always', 'return expr.value;', 'return true;'],
    ['not: lost', 'return !holdsWithin(expr.of,', 'return holdsWithin(expr.of,'],
    ['and: read as or', 'return expr.of.every((part)', 'return expr.of.some((part)'],
    ['or: read as and', 'return expr.of.some((part)', 'return expr.of.every((part)'],
    ['known: always', 'return scalar(expr.fact) !== undefined;', 'return true;'],
    ['is_true: known is enough', 'return scalar(expr.fact) === true;', 'return scalar(expr.fact) !== undefined;'],
    ['compare: sides swapped', 'COMPARISONS[expr.op](left, right)', 'COMPARISONS[expr.op](right, left)'],
    [
      'compare: the left side need not be known',
      'return left !== undefined && right !== undefined && COMPARISONS[expr.op](left, right);',
      'return right !== undefined && COMPARISONS[expr.op](left ?? 0, right);',
    ],
    ['text_contains: read as equals', 'text(expr.text)?.includes(expr.part) ?? false', 'text(expr.text) === expr.part'],
    ['text_equals: read as contains', 'left === text(expr.right)', '(left.includes(text(expr.right) ?? `${left}x`))'],
    ['text_contains: read as begins', '?.includes(expr.part)', '?.startsWith(expr.part)'],
    ['contains: negated', '(set(expr.set)?.includes(member) ?? false)', '!(set(expr.set)?.includes(member) ?? false)'],
    ['overlaps: read as subset', 'set(expr.left)?.some(', 'set(expr.left)?.every('],
    ['subset: read as overlaps', 'set(expr.left)?.every(', 'set(expr.left)?.some('],
    [
      'in_hours: a time that is not known is in',
      "typeof time === 'number' && isInHours(",
      "typeof time !== 'number' || isInHours(",
    ],
    ['some: read as every', 'collection(expr.collection)?.some(', 'collection(expr.collection)?.every('],
    ['every: read as some', 'collection(expr.collection)?.every(', 'collection(expr.collection)?.some('],
    ['field: always the first', '?.[ref.field]', '?.[0]'],
    ['rank: the other way round', 'return rank < 0 ? undefined : rank;', 'return rank < 0 ? undefined : -rank;'],
    ['classification: not there', 'return situation.classification;', 'return undefined;'],
  ]),
  ...inFile('compiler/plan/hours.ts', [
    ['hours: closed at both ends', 'minute < end', 'minute <= end'],
    ['hours: a week begins on a Sunday', 'EPOCH_MINUTE = 3 *', 'EPOCH_MINUTE = 4 *'],
    ['hours: clocks never change', 'offsets.findLast(({ from }) => from <= time) ?? offsets[0]!', 'offsets[0]!'],
  ]),
  ...inFile('compiler/interpret/read-facts.ts', [
    ['date: any day of 31', ' || new Date(instant).toISOString().slice(0, 10) !== text', ''],
    [
      'absent: fails is unknown',
      "case 'fails':\n      return FAILED;",
      "case 'fails':\n      return { state: 'unknown' };",
    ],
    ['absent: unknown fails', "return { state: 'unknown' };", 'return FAILED;'],
    ['absent: else is unknown', "return { state: 'known', value: fact.absent.value };", "return { state: 'unknown' };"],
    ['path: through what is no object', 'return BROKEN;', 'return ABSENT;'],
    ['path: null is a value', 'value === undefined || value === null', 'value === undefined'],
    ['enum: any text', '&& membersOf(plan, type.enum).includes(raw) ?', '?'],
    ['enum set: any text', '(member) => membersOf(plan, type.enum).includes(member)', '() => true'],
    ['set: no bound', ' || raw.length > SET_MEMBERS_MAX', ''],
    ['collection: one more', 'raw.length > type.most', 'raw.length > type.most + 1'],
    ['collection: no bound', ' || raw.length > type.most', ''],
    [
      'collection: an element that is none is passed over',
      'if (!isObject(item)) return undefined;',
      'if (!isObject(item)) continue;',
    ],
    ['collection: nothing is optional', '!(field.optional && given === undefined)', 'true'],
    ['collection: all is optional', '!(field.optional && given === undefined)', 'given !== undefined'],
    ['number: need not be exact', 'if (digits % divisor !== 0n) return undefined;', ''],
    ['number: no bound', 'if (scaled > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;', ''],
    ['number: the sign is lost', "sign === '-' ? -scaled : scaled", 'scaled'],
    ['number: the scale is lost', 'scale + Number(exponent)', 'Number(exponent)'],
  ]),
  ...inFile('compiler/interpret/touched.ts', [
    [
      'failure: touches nothing',
      "reads.some((fact) => facts[fact]?.state === 'failed')",
      'reads.length < 0 && facts.length < 0',
    ],
    ['failure: always denies', "plan.onFailure === 'deny' ||", 'true ||'],
    ['failure: a reader does not close', '    reader.failsClosed ||\n', ''],
    ['failure: a fact does not close', '&& plan.facts[fact]?.failsClosed', '&& false'],
    [
      'failure: facts of one reader only',
      'denying.filter((reader) => reader.name === name)',
      'denying.filter((reader) => reader.name === name).slice(0, 1)',
    ],
  ]),
  ...inFile('compiler/interpret/decide-rules.ts', [
    [
      'classification: completions have none',
      '...(rank === null ? {} : { classification: rank })',
      '...(rank === null ? {} : {})',
    ],
    ['classification: a completion does not tell it', 'classification: member,\n    alsoFired', 'alsoFired'],
    [
      'classification: a touched one of a completion is not a reader',
      '...event.classify.map(readerOfClassify), ...event.rules',
      '...event.rules',
    ],
    ['rule: a touched one fires', '!isTouched(rule.reads, situation.facts) && holds(', 'holds('],
    ['each: at the first model', 'when.exprs[model]', 'when.exprs[0]'],
    ['each: no model is chosen', "if (chosen?.state !== 'known') return null;", 'if (chosen !== null) return null;'],
    [
      'exchange: what failed denies it',
      "'exchange', facts, [], fired",
      "'exchange', facts, event.rules.map(readerOfRule), fired",
    ],
    [
      'egress: is named as what is ingested',
      'return conclude(plan, event.kind, facts,',
      "return conclude(plan, 'ingest', facts,",
    ],
    ['default: allows', "standard === 'deny' && !allowed", "standard === 'deny' && allowed"],
    ['deny: does nothing', "effects.flatMap((effect) => (effect.kind === 'deny' ? [effect.message] : []))", '[]'],
    ['redact: the weakest mode', 'Math.max(...ofThis', 'Math.min(...ofThis'],
    [
      'redact: restored values where all say so',
      'ofThis.some(({ effect }) => effect.includingRestored)',
      'ofThis.every(({ effect }) => effect.includingRestored)',
    ],
    ['redact: the first rule only', 'sortedSet(ofThis.map(({ rule }) => rule))', '[ofThis[0]!.rule]'],
    ['redact: what is denied too', 'redact: allowed ? redactions(plan, fired) : []', 'redact: redactions(plan, fired)'],
    ['set: what is denied too', 'set: allowed ? settings(fired) : []', 'set: settings(fired)'],
    [
      'set: one value a field',
      'other.field === each.field && other.value === each.value',
      'other.field === each.field',
    ],
    ['hold: allows', "held.length > 0 ? 'hold' : 'allow'", "'allow'"],
    ['hold: what is denied is held too', 'allowed ? holdsOf(fired) : []', 'holdsOf(fired)'],
    ['keep: only of what is allowed', 'keeps: keepsOf(fired)', 'keeps: allowed ? keepsOf(fired) : []'],
    ['keep: doubles stay', ' || compareKeeps(all[at - 1]!, keep) !== 0', ' || true'],
    ['hold: doubles stay', ' || compareHolds(all[at - 1]!, hold) !== 0', ' || true'],
    [
      'tag: the last of a name',
      'return distinct.sort((a, b) => compareText(a.name',
      'return distinct.slice(0, 1).sort((a, b) => compareText(a.name',
    ],
    ['retrieval: chunks that may pass do not count', 'chunksMayPass || fired.some(allows)', 'fired.some(allows)'],
    ['withhold_chunk: negated', '!holds(effect.unless, situation)', 'holds(effect.unless, situation)'],
    [
      'allow_chunk: always',
      "effect.kind === 'allow_chunk' && holds(effect.where, situation)",
      "effect.kind === 'allow_chunk'",
    ],
    ['keep_newest: facts not read', "if (effect.kind === 'keep_newest') return [effect.version, effect.key];", ''],
  ]),
  ...inFile('compiler/interpret/decide.ts', [
    ['tool_call: as one of the first tool', 'each.tool === tool);', 'tool !== undefined);'],
  ]),
  ...inFile('compiler/interpret/classified.ts', [
    ['classification: the lowest', 'const rank = Math.max(', 'const rank = Math.min('],
    [
      'classification: one of each name counts',
      '...firing.map((each) => each.member)',
      '...firing.filter(({ name }, at) => firing.findIndex((each) => each.name === name) === at).map((each) => each.member)',
    ],
    ['classification: does not fail', ' || readable.length < classify.length', ''],
  ]),
  ...inFile('compiler/interpret/decide-prompt.ts', [
    ['limits: raise', 'Math.max(0, Math.min(asked,', 'Math.max(0, Math.max(asked,'],
    ['limits: a touched one limits', '!isTouched(limit.reads, situation.facts) && holds(', 'holds('],
    [
      'route: of any name first',
      "event.routes.find((route) => route.requested.kind === 'name' && route.requested.name === requested) ??",
      '',
    ],
    ['preference: a touched one offers', '.filter((preference) => !isTouched(preference.reads, facts))', ''],
    ['preference: cheapest by name', ': plan.byPrice;', ': plan.models.map((model) => model.id);'],
    [
      'requirement: a touched one removes',
      '!isTouched(each.reads, facts) && holds(atModel(each.removes',
      'holds(atModel(each.removes',
    ],
    ['context window: must not be filled', 'needed > plan.models', 'needed >= plan.models'],
    ['context window: the reply does not count', ' + outputTokens(event, situation, model);', ';'],
    ['budget: all of it may not be spent', '> BigInt(headroom)', '>= BigInt(headroom)'],
    ['budget: always applies', '&& holds(budget.applies, situation)', ''],
    ['threshold: later than reached', '* 100n >= BigInt(', '* 100n > BigInt('],
    ['rate: a request counts for nothing', "=== 'requests') return 1n;", "=== 'requests') return 0n;"],
    ['rate: tokens at the price of money', "counts === 'tokens' ? {", "counts === 'requests' ? {"],
    ['rate: of requests reads the counts', "if (budget.counts === 'requests') return [budget.headroom];", ''],
    ['cost: rounded down', '(sum + 999_999n) / 1_000_000n', 'sum / 1_000_000n'],
    ['cost: one reply, whatever is asked', 'choices * output * BigInt(outputPrice)', 'output * BigInt(outputPrice)'],
    ['reserve: where it does not apply', 'return readableBudgets(event, situation)\n', 'return event.budgets\n'],
    ['no model: every rule is judged', '? event.rules.filter(isJudgedWithoutModel) :', '? event.rules :'],
    [
      'no model: what tells somebody is not judged',
      'event.rules.filter(isJudgedWithoutModel)',
      'event.rules.filter(({ when, effects }) => isJudgedWithoutModel({ when, effects }))',
    ],
    [
      'no model: is unknown where the choice has failed',
      'chosen === null && !choiceFailed(situation)',
      'chosen === null',
    ],
    [
      'failure: routes that do not serve count',
      '...(serving === undefined ? [] : readersOfRoute(serving)),',
      '...event.routes.flatMap(readersOfRoute),',
    ],
    [
      'failure: budgets that do not apply count',
      '...applyingBudgets(event, situation).flatMap((budget)',
      '...event.budgets.flatMap((budget)',
    ],
  ]),
  ...inFile('compiler/interpret/decide.ts', [
    ['store: any', 'event.kind === kind && event.store === store', 'event.kind === kind'],
  ]),
];

function inFile(
  file: string,
  edits: readonly (readonly [name: string, find: string, replace: string])[],
): readonly Mutation[] {
  return edits.map(([name, find, replace]) => ({ name, file, find, replace }));
}
