/**
 * Random policies as text: well typed, over every form that is enforced. Each condition is written in two wordings that
 * mean the same, by laws of logic and not by what lowering does with them; so that checker and lowering are compared
 * with something besides themselves.
 */
import { MODELS, STORES, TEXTS, VOCABULARY } from './source-vocabulary.ts';
import type { Random } from './random.ts';
import type { TextFile } from './source-plan.ts';
import {
  aboutEnum,
  aboutSet,
  aboutText,
  anyOf,
  type Leaf,
  type Making,
  oneOf,
  optionalText,
  ordered,
  quoted,
  type Style,
  swapped,
  type Wording,
} from './wordings.ts';

export type { Style, Wording } from './wordings.ts';

/** The declarations of a policy, `policy` among them. */
export function generateSource(random: Random): readonly Wording[] {
  const defaults = {
    prompt: random.chance(0.7) ? 'allow' : 'deny',
    completion: random.chance(0.6) ? 'allow' : 'deny',
    retrieval: random.chance(0.4) ? 'allow' : 'deny',
    ingest: random.chance(0.5) ? 'allow' : 'deny',
    egress: random.chance(0.5) ? 'allow' : 'deny',
  } as const;
  const calls = random.chance(0.5) ? 'allow' : 'deny';
  const models = MODELS.slice(0, random.int(1, MODELS.length));
  const make: Making = { random, models: models.map(({ name }) => name), terms: [], defaults, calls, taken: 0 };
  const budgets = [...random.some(['b1', 'b2'], 0.6)];
  const rates = [...random.some(['r1', 'r2'], 0.4)];
  return [
    same(`policy generated {
  owner "owner@example.org"
  currency usd
  time zone "Europe/Berlin"
${Object.entries(defaults)
  .map(([event, decision]) => `  default ${event}: ${decision}`)
  .join('\n')}
  default tool call: ${calls}
  on failure: ${random.pick(['allow', 'deny'])}
  base classification: ${random.pick(['public', 'internal'])}
}`),
    ...VOCABULARY.map(same),
    ...models.map(({ name, text }) => same(`model ${name} "${name}-1" {\n  ${text}\n}`)),
    ...listOf(random, 2, () => term(make)),
    ...listOf(random, 3, () => classify(make)),
    ...listOf(random, 5, () => promptRule(make)),
    ...listOf(random, 1, () => guarantee(make)),
    ...listOf(random, 3, () => egressRule(make)),
    ...listOf(random, 3, () => textRule(make, 'completion', 'completion')),
    ...listOf(random, 4, () => callRule(make)),
    ...STORES.flatMap((store) => [
      ...listOf(random, 3, () => retrievalRule(make, store)),
      ...listOf(random, 2, () => textRule(make, 'ingest', `ingest into ${store}`)),
    ]),
    ...random.some(['"auto"', `"${models[0]!.name}-1"`, 'any'], 0.5).map((requested) => route(make, requested)),
    ...budgets.map((name) => budget(make, name)),
    ...rates.map((name) => rate(make, name)),
  ];
}

export function asFile(declarations: readonly Wording[], style: Style): TextFile {
  return { path: 'policy.writ', text: `${declarations.map((each) => each[style]).join('\n\n')}\n` };
}

function same(text: string): Wording {
  return { plain: text, otherwise: text };
}

function nameFor(make: Making, kind: string): string {
  return `${make.random.pick(['a', 'm', 'z'])}_${kind}_${++make.taken}`;
}

function listOf(random: Random, most: number, one: () => Wording): readonly Wording[] {
  return Array.from({ length: random.int(0, most) }, one);
}

/** A text of the language, with its parts in either wording. */
function worded(strings: TemplateStringsArray, ...parts: readonly (Wording | string)[]): Wording {
  const as = (style: Style): string =>
    strings.reduce((text, string, at) => {
      const part = parts[at - 1]!;
      return `${text}${typeof part === 'string' ? part : part[style]}${string}`;
    });
  return { plain: as('plain'), otherwise: as('otherwise') };
}

// ------------------------------------------------------------------------------------------------------------------
// conditions

/** What a condition may read, besides the caller. */
interface Reading {
  readonly text?: true;
  readonly prompt?: true;
  readonly classification?: true;
  readonly reply?: true;
  readonly calls?: true;
  readonly sent?: true;
  readonly model?: true;
  readonly chunk?: true;
  readonly call?: true;
  readonly payment?: true;
}

const DEPTH_MAX = 2;

function condition(make: Making, reading: Reading, depth = 0): Wording {
  const { random } = make;
  const kind = depth >= DEPTH_MAX ? 'leaf' : random.weighted({ leaf: 5, and: 2, or: 2, not: 1 });
  if (kind === 'leaf') return leaf(make, reading);
  if (kind === 'not') {
    const of = condition(make, reading, depth + 1);
    return { plain: `not (${of.plain})`, otherwise: `not (not (not (${of.otherwise})))` };
  }
  const [left, right] = [condition(make, reading, depth + 1), condition(make, reading, depth + 1)];
  const other = kind === 'and' ? 'or' : 'and';
  return {
    plain: `(${left.plain}) ${kind} (${right.plain})`,
    // De Morgan, in the other order.
    otherwise: `not (not (${right.otherwise}) ${other} not (${left.otherwise}))`,
  };
}

function leaf(make: Making, reading: Reading): Wording {
  const { random, terms } = make;
  const makers = [
    ...CALLER,
    ...(reading.text ? [textFound] : []),
    ...(reading.prompt ? PROMPT : []),
    ...(reading.classification ? [ofClassification, ofClassification] : []),
    ...(reading.reply ? [ofReply] : []),
    ...(reading.calls ? [ofCalls] : []),
    ...(reading.sent ? [ofSent] : []),
    ...(reading.model ? MODEL : []),
    ...(reading.chunk ? [...CHUNK, ...CHUNK] : []),
    ...(reading.call ? [callName, callName] : []),
    ...(reading.payment ? [...PAYMENT, ...PAYMENT] : []),
  ];
  if (terms.length > 0 && random.chance(0.15)) {
    const { name, is } = random.pick(terms);
    return { plain: name, otherwise: `(${is.otherwise})` };
  }
  return random.pick(makers)(make);
}

const CALLER: readonly Leaf[] = [
  (make) => aboutText(make, 'caller.id'),
  (make) => optionalText(make, 'caller.manager'),
  (make) => aboutEnum(make, 'caller.department', ['marketing', 'support', 'hr']),
  (make) => aboutEnum(make, 'caller.region', ['eu', 'us', 'asia']),
  ({ random }) => swapped(random, 'caller.region', 'caller.home', 'is'),
  (make) => aboutSet(make, 'caller.groups', 'caller.teams'),
  (make) => aboutSet(make, 'caller.teams', 'caller.groups'),
  ({ random }) => anyOf(random, 'caller.regions contains', ['eu', 'us', 'asia']),
  ({ random }) => {
    const other = random.pick(['caller.region', 'caller.home']);
    return { plain: `caller.regions contains ${other}`, otherwise: `not (not (caller.regions contains ${other}))` };
  },
  (make) => ordered(make, 'caller.clearance', LEVELS),
  (make) => ordered(make, 'caller.grade', ['0', '1', '3', '5']),
  (make) => ordered(make, 'caller.ratio', ['0.5', '1.25', '2', '0']),
  (make) => ordered(make, 'caller.hired', DATES),
  (make) => ordered(make, 'caller.since', TIMES),
  (make) => ordered(make, 'now', TIMES),
  ({ random }) => {
    const [time, hours] = [random.pick(['now', 'caller.since']), random.pick(['office', 'night'])];
    return { plain: `${time} is in hours ${hours}`, otherwise: `not (${time} is not in hours ${hours})` };
  },
  () => ({ plain: 'caller.verified', otherwise: 'caller.verified is true' }),
  () => ({ plain: 'caller.verified is false', otherwise: 'not (caller.verified)' }),
];

const DATES = ['2024-02-29', '2026-12-31', '1970-01-01'] as const;
/** Some of them come twice, or never, in Berlin. */
const TIMES = ['2026-03-29', '2026-03-29 02:30', '2026-10-25 02:30', '2026-10-04 09:00'] as const;
/** When a rule holds, and the same as conditions on `now`. */
const PERIODS = [
  { clause: 'effective 2026-03-29', says: ['now is at least 2026-03-29'] },
  { clause: 'effective 2026-01-01 until 2026-10-25', says: ['now is at least 2026-01-01', 'now is below 2026-10-26'] },
] as const;

const LEVELS = ['public', 'internal', 'confidential', 'restricted'] as const;

const PROMPT: readonly Leaf[] = [
  (make) => ordered(make, 'prompt.tokens_estimate', ['1 tokens', '40 tokens', '900 tokens']),
  (make) => ordered(make, 'prompt.complexity', ['1', '3', '5']),
  (make) => ordered(make, 'prompt.choices', ['1', '2']),
  () => ({ plain: 'prompt.stream', otherwise: 'not (prompt.stream is false)' }),
  (make) => aboutText(make, 'prompt.requested_model'),
  ({ random }) => {
    const role = random.pick(['user', 'system', 'tool']);
    const found = random.pick(['email', 'iban', 'personal']);
    const of = `m.role is ${role} and m.text contains ${found}`;
    const not = `m.role is not ${role} or not (m.text contains ${found})`;
    return random.chance(0.5)
      ? {
          plain: `some m in prompt.messages has (${of})`,
          otherwise: `not (every m in prompt.messages has (${not}))`,
        }
      : {
          plain: `every m in prompt.messages has (${of})`,
          otherwise: `not (some m in prompt.messages has (${not}))`,
        };
  },
];

const MODEL: readonly Leaf[] = [
  () => ({ plain: 'model.zone is external', otherwise: 'not (model.zone is onprem)' }),
  (make) => aboutEnum(make, 'model.region', ['eu', 'us']),
  (make) => ordered(make, 'model.clearance', LEVELS),
  ({ random, models }) => {
    const name = random.pick(models);
    return { plain: `model is ${name}`, otherwise: `not (model is not ${name})` };
  },
  ({ random }) => swapped(random, 'model.region', 'caller.region', 'is'),
];

const CHUNK: readonly Leaf[] = [
  (make) => aboutText(make, 'chunk.source'),
  (make) => optionalText(make, 'chunk.subject'),
  (make) => aboutSet(make, 'chunk.groups', 'caller.groups'),
  (make) => ordered(make, 'chunk.classification', [...LEVELS, 'caller.clearance']),
  (make) => ordered(make, 'chunk.version', ['0', '2', '5']),
];

const callName: Leaf = (make) => aboutText(make, 'tool.name');

const PAYMENT: readonly Leaf[] = [
  (make) => ordered(make, 'tool.amount', ['1 usd', '0.5 usd', '2_500 usd', '0.9 eur']),
  (make) => aboutText(make, 'tool.to'),
  (make) => optionalText(make, 'tool.memo'),
  () => ({ plain: 'tool.urgent', otherwise: 'not (tool.urgent is false)' }),
];

const ofClassification: Leaf = (make) => ordered(make, 'prompt.classification', [...LEVELS, 'caller.clearance']);
const ofSent: Leaf = (make) =>
  ordered(make, 'prompt.sent_classification', [...LEVELS, 'caller.clearance', 'prompt.classification']);

const ofReply: Leaf = (make) =>
  ordered(make, 'completion.classification', [...LEVELS, 'caller.clearance', 'prompt.classification']);

const ofCalls: Leaf = ({ random }) => {
  const found = `${random.pick(['email', 'iban', 'personal'])}${random.chance(0.4) ? ' including restored' : ''}`;
  const name = random.pick([...TEXTS, 'alphabet'].map(quoted));
  const of = `c.name contains ${name} and c.text contains ${found}`;
  const not = `not (c.name contains ${name}) or not (c.text contains ${found})`;
  return random.chance(0.5)
    ? {
        plain: `some c in completion.tool_calls has (${of})`,
        otherwise: `not (every c in completion.tool_calls has (${not}))`,
      }
    : {
        plain: `every c in completion.tool_calls has (${of})`,
        otherwise: `not (some c in completion.tool_calls has (${not}))`,
      };
};

const textFound: Leaf = ({ random }) =>
  random.chance(0.3)
    ? { plain: 'text contains personal', otherwise: 'text contains iban or text contains email' }
    : anyOf(random, 'text contains', ['email', 'iban', 'phone', 'payment_card']);

// ------------------------------------------------------------------------------------------------------------------
// declarations

function term(make: Making): Wording {
  const name = nameFor(make, 'term');
  const is = condition({ ...make, terms: [] }, {}, 1);
  make.terms.push({ name, is });
  return worded`term ${name} = ${is}`;
}

/** `where`, `unless` and `effective`; said otherwise, one `where`. */
function when(make: Making, reading: Reading): Wording {
  const where = condition(make, reading);
  if (make.random.chance(0.1)) {
    const { clause, says } = make.random.pick(PERIODS);
    return {
      plain: `\n  ${clause}\n  where ${where.plain}`,
      otherwise: `\n  where (${where.otherwise}) and ${says.join(' and ')}`,
    };
  }
  if (make.random.chance(0.2)) return same('');
  if (make.random.chance(0.6)) return worded`\n  where ${where}`;
  const unless = condition(make, reading, 1);
  return {
    plain: `\n  where ${where.plain}\n  unless ${unless.plain}`,
    otherwise: `\n  where not (${unless.otherwise}) and (${where.otherwise})`,
  };
}

function classify(make: Making): Wording {
  const level = make.random.pick(LEVELS);
  if (make.random.chance(0.15))
    return worded`classify prompt as highest of receipts\n  where ${condition(make, { text: true, prompt: true })}`;
  return make.random.chance(0.5)
    ? worded`classify prompt as ${level}\n  where ${condition(make, { text: true, prompt: true })}`
    : worded`classify completion as ${level}\n  where ${condition(make, { text: true, classification: true, model: true })}`;
}

function promptRule(make: Making): Wording {
  const { random, defaults } = make;
  const name = nameFor(make, 'prompt');
  const head = `rule ${name}${random.chance(0.3) ? ' "A title"' : ''}\n  on prompt`;
  const facts: Reading = { text: true, prompt: true, classification: true };
  switch (
    random.weighted({ useOnly: 3, limit: 1.5, deny: 1.5, redact: 3, allow: defaults.prompt === 'deny' ? 3 : 0 })
  ) {
    case 'useOnly': {
      const models = condition(make, { model: true, classification: true, sent: true });
      return worded`${head}${when(make, { ...facts, model: true })}\n  use only models where ${models}`;
    }
    case 'limit':
      return worded`${head}${when(make, { ...facts, model: true })}\n  limit prompt.output_tokens to ${random.pick(['8', '100'])} tokens`;
    case 'deny':
      return worded`${head}${when(make, { ...facts, sent: true })}\n  deny "Not here"`;
    case 'redact':
      return worded`${head}${when(make, { ...facts, model: true })}\n  ${redact(random)}`;
    case 'allow':
      return worded`${head}${when(make, facts)}\n  allow`;
  }
}

function guarantee(make: Making): Wording {
  const { random } = make;
  const subject = random.pick(['prompt', 'completion']);
  const reading: Reading = { text: true, classification: true, model: true };
  const unredacted = random.chance(0.7) ? `${random.pick(['email', 'iban', 'personal'])} is unredacted and ` : '';
  return worded`guarantee ${nameFor(make, 'kept')}\n  never ${subject} sent where ${unredacted}(${condition(make, reading)})`;
}

function redact(random: Random, restored = false): string {
  const what = random.pick(['personal', 'email', 'any of (iban, phone)', 'any of (payment_card, email)']);
  const including = restored && random.chance(0.5) ? ' including restored' : '';
  return `redact ${what}${including} as ${random.pick(['placeholder', 'pseudonym for each caller.region', 'year', 'mask keeping last 4', 'mask keeping last 2', 'mask', 'remove'])}`;
}

function textRule(make: Making, event: 'completion' | 'ingest', on: string): Wording {
  const { random, defaults } = make;
  const head = `rule ${nameFor(make, event)}\n  on ${on}`;
  const reading: Reading =
    event === 'completion'
      ? { text: true, classification: true, reply: true, calls: true, model: true }
      : { text: true, chunk: true };
  const onIngest = event === 'ingest' ? 1 : 0;
  switch (
    random.weighted({
      redact: 2,
      deny: 1,
      allow: defaults[event] === 'deny' ? 2 : 0,
      tag: onIngest * 1.5,
      require: onIngest,
    })
  ) {
    case 'redact':
      return worded`${head}${when(make, reading)}\n  ${redact(random, event === 'completion')}`;
    case 'deny':
      return worded`${head}${when(make, reading)}\n  deny "No"`;
    case 'allow':
      return worded`${head}${when(make, reading)}\n  allow`;
    case 'tag':
      return worded`${head}${when(make, reading)}\n  tag sort = ${random.pick(['1', '2', '"1"', 'true'])}`;
    case 'require': {
      const titled = head.replace('\n', ' "No"\n');
      const where = when(make, reading);
      const required = condition(make, reading, 1);
      return {
        plain: `${titled}${where.plain}\n  require ${required.plain}`,
        otherwise: `${titled}${where.otherwise}\n  unless ${required.otherwise}\n  deny "No"`,
      };
    }
  }
}

function egressRule(make: Making): Wording {
  const { random, defaults } = make;
  const head = `rule ${nameFor(make, 'egress')}\n  on egress`;
  const host = random.pick([
    same(`egress.host is "${random.pick(TEXTS.slice(0, 4))}"`),
    { plain: 'egress.host is one of ("u1", "alpha")', otherwise: '(egress.host is "alpha" or egress.host is "u1")' },
    { plain: 'egress.host is not "u2"', otherwise: 'not (egress.host is "u2")' },
    { plain: 'egress.host contains "l"', otherwise: 'not (not (egress.host contains "l"))' },
  ]);
  const effect = random.weighted({ deny: 1, allow: defaults.egress === 'deny' ? 3 : 0, tag: 1 });
  const does = { deny: 'deny "No"', allow: 'allow', tag: `tag sort = ${random.pick(['1', '"1"'])}` }[effect];
  return worded`${head}\n  where ${host}\n  ${does}`;
}

function callRule(make: Making): Wording {
  const { random, calls } = make;
  const isPayment = random.chance(0.5);
  const head = `rule ${nameFor(make, 'call')}\n  on tool call${isPayment ? ' to pay' : ''}`;
  const reading: Reading = {
    text: true,
    prompt: true,
    classification: true,
    model: true,
    call: true,
    ...(isPayment ? { payment: true } : {}),
  };
  const effect = random.weighted({ drop: 3, deny: 1, allow: calls === 'deny' ? 2 : 0, tag: 1, redact: 2 });
  const does = {
    drop: 'drop call',
    deny: 'deny "No"',
    allow: 'allow',
    tag: 'tag sort = 1',
    redact: `redact ${random.pick(['email', 'iban'])} as ${random.pick(['mask', 'remove', 'mask keeping last 2'])}`,
  }[effect];
  return worded`${head}${when(make, reading)}\n  ${does}`;
}

function retrievalRule(make: Making, store: string): Wording {
  const { random, defaults } = make;
  const head = `rule ${nameFor(make, 'retrieval')}\n  on retrieval from ${store}`;
  const closed = defaults.retrieval === 'deny';
  const of = condition(make, { chunk: true });
  switch (random.weighted({ allowChunk: closed ? 3 : 0, withhold: 3, newest: 0.5, deny: 1, allow: closed ? 1 : 0 })) {
    case 'allowChunk':
      return worded`${head}${when(make, {})}\n  allow chunk where ${of}`;
    case 'withhold':
      return worded`${head}${when(make, {})}\n  withhold chunk unless ${of}${random.chance(0.3) ? ' else say "Some"' : ''}`;
    case 'newest':
      return worded`${head}${when(make, {})}\n  keep newest chunk.version for each chunk.source`;
    case 'deny':
      return worded`${head}${when(make, { chunk: true })}\n  deny "No"`;
    case 'allow':
      return worded`${head}${when(make, { chunk: true })}\n  allow`;
  }
}

function route(make: Making, requested: string): Wording {
  const { random, models } = make;
  const preferred = Array.from({ length: random.int(1, 3) }, () => {
    const target = random.pick([random.pick(models), 'requested', 'any by price']);
    return random.chance(0.5)
      ? worded`\n  prefer ${target} where ${condition(make, { text: true, prompt: true, classification: true, sent: true, model: true })}`
      : same(`\n  prefer ${target}`);
  });
  return preferred.reduce(
    (text, each) => worded`${text}${each}`,
    same(`route ${nameFor(make, 'route')}\n  for requested ${requested}`),
  );
}

function budget(make: Making, name: string): Wording {
  const { random } = make;
  const percent = random.pick(['50', '80', '95']);
  const threshold = random.chance(0.6)
    ? worded`\n  at ${percent} percent use only models where ${condition(make, { model: true })}`
    : same('');
  const each = random.chance(0.4)
    ? `\n  for each ${random.pick(['caller.id', 'caller.region', 'caller.department'])}`
    : '';
  return worded`budget ${name} "Spend"\n  for ${condition(make, {})}${each}\n  limit ${random.pick(['0.005 usd', '0.004_999 eur', '1 usd'])} per month in "Europe/Berlin"${threshold}\n  else deny "Used up"`;
}

function rate(make: Making, name: string): Wording {
  const { random } = make;
  const each = random.chance(0.4) ? `\n  for each ${random.pick(['caller.id', 'caller.region'])}` : '';
  const limit = random.pick(['60 requests per minute', '1_000 requests per hour', '4_000 tokens per day']);
  return worded`rate ${name} "Pace"\n  for ${condition(make, {})}${each}\n  limit ${limit}\n  else deny "Slower"`;
}
