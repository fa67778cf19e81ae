/** The policy's own tests: what is given fits its declarations, what is expected fits the event before it. */
import { diagnostic, help, label } from '../diagnostic.ts';
import { BUILT_IN_ATTRIBUTES } from '../events.ts';
import type { Attribute, Expectation, GivenAttribute, PolicyTest, Rate, TestStep, Type } from '../program.ts';
import type { ExpectationNode, Name, Quantity, Setting, TestStepNode } from '../syntax-tree.ts';
import { rateLimit } from './budgets.ts';
import { clauseOf } from './clauses.ts';
import {
  all,
  type Context,
  declaredHere,
  type DeclarationOf,
  isBroken,
  isImported,
  listNames,
  report,
  resolve,
  unknownName,
} from './context.ts';
import { resolveDetectors } from './detector-names.ts';
import { plainValue } from './effects.ts';
import { checkDate, checkMember, checkScalar, checkValue } from './values.ts';

type EventStep = 'prompt' | 'completion' | 'chunk' | 'document' | 'toolCall' | 'egress' | 'exchange';
const EVENT_OF_STEP: { readonly [K in TestStepNode['kind']]: EventStep | null } = {
  givenCaller: null,
  givenNow: null,
  givenSwitch: null,
  givenList: null,
  givenSpent: null,
  givenPrompt: 'prompt',
  givenCompletion: 'completion',
  givenChunk: 'chunk',
  givenDocument: 'document',
  givenToolCall: 'toolCall',
  givenEgress: 'egress',
  givenEnd: 'exchange',
  expect: null,
};
const EVENT_STEP_WORDING: { readonly [K in EventStep]: string } = {
  prompt: 'a prompt',
  completion: 'a completion',
  chunk: 'a chunk',
  document: 'a document',
  toolCall: 'a tool call',
  egress: 'a connection to the outside',
  exchange: 'an exchange that is over',
};
const EXPECTED_OF: { readonly [K in ExpectationNode['kind']]: readonly EventStep[] } = {
  expectAllow: ['prompt', 'completion', 'chunk', 'document', 'toolCall', 'egress'],
  expectDeny: ['prompt', 'completion', 'chunk', 'document', 'toolCall', 'egress'],
  expectRedact: ['prompt', 'completion', 'chunk', 'document', 'toolCall'],
  expectSent: ['prompt', 'completion', 'chunk', 'document', 'toolCall'],
  expectModel: ['prompt'],
  expectWithheld: ['chunk', 'toolCall'],
  expectClassification: ['prompt', 'completion'],
  expectHold: ['prompt', 'completion', 'toolCall'],
  expectRecord: ['prompt', 'completion', 'exchange'],
  expectSample: ['prompt', 'completion', 'exchange'],
  expectTag: ['prompt', 'completion', 'chunk', 'document', 'toolCall', 'egress', 'exchange'],
};

export function checkTests(context: Context): PolicyTest[] {
  // Those of an imported file speak of that file alone, and run where it stands.
  const own = all(context, 'test').filter(({ span }) => !isImported(context, span.file));
  const tests = own.map((node) => {
    let event: EventStep | null = null;
    const steps: TestStep[] = [];
    for (const step of node.steps) {
      if (step.kind === 'expect') checkPlace(context, step.expectation, event);
      event = EVENT_OF_STEP[step.kind] ?? event;
      const checked = checkStep(context, step);
      if (checked !== null) steps.push(checked);
    }
    if (!node.steps.some((step) => step.kind === 'expect')) {
      report(
        context,
        diagnostic('W0601', node.title.span, 'this test expects nothing', {
          help: [help('write what must come of it, such as `expect deny`')],
        }),
      );
    }
    return { title: node.title.value, steps, span: node.span };
  });
  return tests.sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
}

function checkPlace(context: Context, node: ExpectationNode, event: EventStep | null): void {
  if (event === null) {
    report(
      context,
      diagnostic('E0601', node.span, 'nothing has happened before this expectation', {
        help: [help('write what is sent first, such as `prompt to NAME "…"`')],
      }),
    );
  } else if (!EXPECTED_OF[node.kind].includes(event)) {
    report(context, diagnostic('E0602', node.span, `this cannot be expected of ${EVENT_STEP_WORDING[event]}`));
  }
}

function checkStep(context: Context, step: TestStepNode): TestStep | null {
  const { span } = step;
  switch (step.kind) {
    case 'givenCaller':
      return { kind: 'caller', attributes: given(context, step.settings, context.typed.caller, 'caller'), span };
    case 'givenNow': {
      const iso = checkDate(context, step.date.text, step.date.span);
      return iso === null ? null : { kind: 'now', iso, span };
    }
    case 'givenSwitch':
      return resolve(context, 'switch', step.name) === null
        ? null
        : { kind: 'switch', switch: step.name.text, on: step.on, span };
    case 'givenList': {
      const list = resolve(context, 'list', step.name);
      const element = context.typed.lists.get(step.name.text);
      if (
        list === null ||
        element === undefined ||
        element.kind === 'set' ||
        element.kind === 'content' ||
        element.kind === 'collection'
      ) {
        return null;
      }
      const entries = step.entries.elements.flatMap(
        (each) => checkScalar(context, each, element, declaredHere(list.name.span)) ?? [],
      );
      return { kind: 'list', list: step.name.text, entries, span };
    }
    case 'givenSpent': {
      const rate = step.budget === null ? undefined : context.named.rate.get(step.budget.text);
      if (rate !== undefined) {
        const counted = spentOfRate(context, rate, step.amount);
        return counted === null ? null : { kind: 'spent', amount: counted, budget: rate.name.text, span };
      }
      const budget = only(context, 'budget', step.budget, step.amount.span, 'spent 10 usd of NAME');
      const amount = checkValue(context, step.amount, { kind: 'money' }, null);
      return budget === null || amount?.kind !== 'money' ? null : { kind: 'spent', amount, budget, span };
    }
    case 'givenPrompt': {
      const model = step.to.kind === 'name' ? resolve(context, 'model', step.to) : null;
      const requested = step.to.kind === 'text' ? step.to.value : (model?.wireName.value ?? null);
      const attributes = given(context, step.settings, promptAttributes(context), 'prompt');
      return requested === null ? null : { kind: 'prompt', requested, text: step.text.value, attributes, span };
    }
    case 'givenCompletion':
      return { kind: 'completion', text: step.text.value, span };
    case 'givenEnd':
      return { kind: 'end', span };
    case 'givenEgress':
      return { kind: 'egress', host: step.host.value, span };
    case 'givenChunk':
    case 'givenDocument': {
      const kind = step.kind === 'givenChunk' ? 'chunk' : 'document';
      const store = only(
        context,
        'store',
        step.store,
        { ...span, end: span.start + kind.length },
        kind === 'chunk' ? 'chunk from NAME { … }' : 'document into NAME { … }',
      );
      if (store === null) return null;
      const declared = new Map((context.typed.stores.get(store)?.attributes ?? []).map((each) => [each.name, each]));
      const text = declared.has('text') ? undefined : step.settings.find((setting) => setting.name.text === 'text');
      const value = text === undefined ? null : checkScalar(context, text.value, { kind: 'text' }, null);
      const attributes = given(
        context,
        step.settings.filter((setting) => setting !== text),
        declared,
        store,
      );
      return { kind, store, attributes, text: value?.kind === 'text' ? value.value : null, span };
    }
    case 'givenToolCall': {
      if (resolve(context, 'tool', step.tool) === null) return null;
      const declared = new Map(
        (context.typed.tools.get(step.tool.text)?.attributes ?? []).map((each) => [each.name, each]),
      );
      return {
        kind: 'toolCall',
        tool: step.tool.text,
        arguments: given(context, step.settings, declared, step.tool.text),
        span,
      };
    }
    case 'expect': {
      const expectation = checkExpectation(context, step.expectation);
      return expectation === null ? null : { kind: 'expect', expectation, span };
    }
  }
}

function checkExpectation(context: Context, node: ExpectationNode): Expectation | null {
  switch (node.kind) {
    case 'expectAllow':
      return { kind: 'allow' };
    case 'expectDeny':
      return { kind: 'deny', by: decision(context, node.by) };
    case 'expectWithheld':
      return { kind: 'withheld', by: decision(context, node.by) };
    case 'expectHold':
      return { kind: 'hold', by: decision(context, node.by) };
    case 'expectRecord':
      return { kind: 'record', by: decision(context, node.by) };
    case 'expectSample':
      return { kind: 'sample', by: decision(context, node.by) };
    case 'expectRedact': {
      const detectors = resolveDetectors(context, node.detector);
      return detectors === null ? null : { kind: 'redact', detectors, by: decision(context, node.by) };
    }
    case 'expectSent':
      return { kind: 'sent', text: node.text.value };
    case 'expectModel':
      return resolve(context, 'model', node.model) === null ? null : { kind: 'model', model: node.model.text };
    case 'expectClassification': {
      const level = checkMember(context, node.level, 'classification', null);
      return level === null ? null : { kind: 'classification', level };
    }
    case 'expectTag': {
      const value = plainValue(context, node.value);
      return value === null ? null : { kind: 'tag', name: node.name.text, value };
    }
  }
}

const DECISIONS = ['rule', 'budget', 'rate', 'route', 'guarantee'] as const;

/** A decision names a rule, budget, rate, route or guarantee. */
function decision(context: Context, name: Name | null): string | null {
  if (name === null) return null;
  if (DECISIONS.some((kind) => context.named[kind].has(name.text) || isBroken(context, kind, name.text)))
    return name.text;
  report(
    context,
    unknownName(
      'rule',
      name,
      DECISIONS.flatMap((kind) => [...context.named[kind].keys()]),
    ),
  );
  return null;
}

/** What a rate has counted already: in its own unit. */
function spentOfRate(context: Context, rate: DeclarationOf<'rate'>, amount: Quantity): Rate['limit'] | null {
  context.used.add(`rate ${rate.name.text}`);
  const counted = rateLimit(context, amount);
  const limit = clauseOf(rate.clauses, 'limitPer');
  const unit = limit?.quantity.unit.text.replace(/s$/, '');
  if (counted === null || unit === undefined || unit === amount.unit.text.replace(/s$/, '')) return counted;
  report(
    context,
    diagnostic('E0302', amount.span, `the rate \`${rate.name.text}\` counts ${unit}s`, {
      labels: [label(rate.name.span, 'declared here')],
    }),
  );
  return null;
}

/** The one that is named, or the only one that there is. */
function only<K extends 'budget' | 'store'>(
  context: Context,
  kind: K,
  name: Name | null,
  span: Setting['span'],
  example: string,
): string | null {
  if (name !== null) return resolve(context, kind, name) === null ? null : name.text;
  const names = [...(context.named[kind] as ReadonlyMap<string, DeclarationOf<K>>).keys()];
  const [first] = names;
  if (first !== undefined && names.length === 1) return first;
  report(
    context,
    diagnostic('E0407', span, `this does not say which ${kind}`, {
      help: [
        help(names.length === 0 ? `no ${kind} is declared here` : `write \`${example}\`; there is ${listNames(names)}`),
      ],
    }),
  );
  return null;
}

type Declared = ReadonlyMap<string, Pick<Attribute, 'name' | 'type'> & { readonly span: Attribute['span'] | null }>;

function given(context: Context, settings: readonly Setting[], declared: Declared, owner: string): GivenAttribute[] {
  const seen = new Map<string, Setting>();
  return settings.flatMap((setting) => {
    const earlier = seen.get(setting.name.text);
    if (earlier !== undefined) {
      report(
        context,
        diagnostic('E0406', setting.name.span, `\`${setting.name.text}\` is given twice`, {
          labels: [label(earlier.name.span, 'first given here')],
        }),
      );
    }
    seen.set(setting.name.text, setting);
    const attribute = declared.get(setting.name.text);
    if (attribute === undefined) {
      if (!context.brokenKinds.has(owner) && !context.brokenNames.has(`store ${owner}`)) {
        report(context, { ...unknownName(`attribute of ${owner}`, setting.name, declared.keys()), code: 'E0202' });
      }
      return [];
    }
    const value = checkValue(
      context,
      setting.value,
      attribute.type,
      declaredHere(attribute.span, `\`${attribute.name}\` is declared here`),
    );
    return value === null ? [] : [{ name: setting.name.text, value, span: setting.span }];
  });
}

/** What a test may say of a prompt besides its text. */
function promptAttributes(context: Context): Declared {
  const found = new Map<string, Pick<Attribute, 'name' | 'type'> & { readonly span: null }>();
  const classes = context.typed.enums.get('classification');
  const classification =
    classes === undefined
      ? null
      : ({ kind: 'enum', name: 'classification', ordered: classes.ordered } as const satisfies Type);
  for (const { root, name, type } of BUILT_IN_ATTRIBUTES) {
    if (root !== 'prompt') continue;
    if (type === 'bool' || type === 'int' || type === 'text' || type === 'tokens' || type === 'bytes') {
      found.set(name, { name, type: { kind: type }, span: null });
    }
    if (type === 'classification' && classification !== null)
      found.set(name, { name, type: classification, span: null });
  }
  // What the receipts say that it carries.
  if (classification !== null && all(context, 'classify').some(({ level }) => level === null))
    found.set('receipts', { name: 'receipts', type: classification, span: null });
  return found;
}
