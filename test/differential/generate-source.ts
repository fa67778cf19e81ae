/**
 * Random policies as text: well typed, over every form that is enforced. Each condition is written in two wordings that
 * mean the same, by laws of logic and not by what lowering does with them; so that checker and lowering are compared
 * with something besides themselves.
 */
import { MODELS, STORES, TEXTS, VOCABULARY } from './source-vocabulary.ts';
import type { Random } from './random.ts';
import type { TextFile } from './source-plan.ts';
import { condition, LEVELS, type Reading } from './source-conditions.ts';
import { type Making, type Style, type Wording, worded } from './wordings.ts';

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
    ...listOf(random, 5, () => promptRule(make)).flat(),
    ...listOf(random, 1, () => guarantee(make)),
    ...listOf(random, 3, () => egressRule(make)),
    ...listOf(random, 3, () => textRule(make, 'completion', 'completion')),
    ...listOf(random, 4, () => callRule(make)),
    ...listOf(random, 3, () => exchangeRule(make)),
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

function listOf<T>(random: Random, most: number, one: () => T): readonly T[] {
  return Array.from({ length: random.int(0, most) }, one);
}

/** When a rule holds, and the same as conditions on `now`. */
const PERIODS = [
  { clause: 'effective 2026-03-29', says: ['now is at least 2026-03-29'] },
  { clause: 'effective 2026-01-01 until 2026-10-25', says: ['now is at least 2026-01-01', 'now is below 2026-10-26'] },
] as const;

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

/** A rule, and sometimes a waiver of it. */
function promptRule(make: Making): readonly Wording[] {
  const { random, defaults } = make;
  const name = nameFor(make, 'prompt');
  const head = `rule ${name}${random.chance(0.3) ? ' "A title"' : ''}\n  on prompt`;
  const facts: Reading = { text: true, prompt: true, classification: true };
  switch (
    random.weighted({
      useOnly: 3,
      limit: 1.5,
      deny: 1.5,
      redact: 3,
      marks: 2,
      hold: 1,
      tell: 1.5,
      allow: defaults.prompt === 'deny' ? 3 : 0,
    })
  ) {
    case 'useOnly': {
      const models = condition(make, { model: true, classification: true, sent: true });
      return waived(
        make,
        name,
        worded`${head}${when(make, { ...facts, model: true })}\n  use only models where ${models}`,
      );
    }
    case 'limit': {
      const tokens = random.pick(['8', '100']);
      const where = when(make, { ...facts, model: true });
      return waived(make, name, worded`${head}${where}\n  limit prompt.output_tokens to ${tokens} tokens`);
    }
    case 'deny':
      return waived(make, name, worded`${head}${when(make, { ...facts, sent: true })}\n  deny "Not here"`);
    case 'redact':
      return waived(make, name, worded`${head}${when(make, { ...facts, model: true })}\n  ${redact(random)}`);
    case 'hold': {
      const needed = random.pick(['1', '2']);
      const where = when(make, { ...facts, model: true });
      return waived(
        make,
        name,
        worded`${head}${where}\n  hold for review by ${needed} of board up to 2 hours else deny`,
      );
    }
    case 'marks':
      return [worded`${head}${when(make, { ...facts, model: true })}${marks(random)}`];
    case 'tell':
      return [worded`${head}${when(make, { ...facts, sent: true })}\n  notify desk`];
    case 'allow':
      return [worded`${head}${when(make, facts)}\n  allow`];
  }
}

/** Effects that take nothing away, so that several stand in one rule. */
function marks(random: Random): string {
  const effects = [
    `tag sort = ${random.pick(['1', '2', '"1"', 'true'])}`,
    `set prompt.store to ${random.pick(['true', 'false'])}`,
    `record exchange for ${random.pick(['30 days', '5 years'])}`,
    `sample ${random.pick(['2', '0.5', '100'])} percent for review by board`,
  ];
  const some = random.some(effects, 0.5);
  return (some.length === 0 ? [random.pick(effects)] : some).map((effect) => `\n  ${effect}`).join('');
}

/** The last day of a waiver, and the day after. */
const ENDS = [
  ['2026-03-28', '2026-03-29'],
  ['2026-10-24', '2026-10-25'],
  ['2027-12-31', '2028-01-01'],
] as const;

/** With a waiver in one wording; in the other the rule itself says what the waiver lifts, and until when. */
function waived(make: Making, rule: string, says: Wording): readonly Wording[] {
  const { random } = make;
  if (random.chance(0.8)) return [says];
  const covers = condition(make, {}, 1);
  const [until, below] = random.pick(ENDS);
  return [
    {
      plain: `${says.plain}\n  waivable by "owner@example.org"`,
      otherwise: `${says.otherwise}\n  unless (${covers.otherwise}) and now is below ${below}`,
    },
    {
      plain: `waiver ${nameFor(make, 'waiver')} "Why" of ${rule}\n  where ${covers.plain}\n  until ${until}\n  owner "owner@example.org"`,
      otherwise: '',
    },
  ];
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

function exchangeRule(make: Making): Wording {
  const reading: Reading = { prompt: true, classification: true, reply: true, calls: true, model: true };
  const head = `rule ${nameFor(make, 'over')}\n  on exchange`;
  const does = make.random.pick([
    'tag sort = 1',
    'record exchange for 90 days',
    `sample ${make.random.pick(['2', '100'])} percent for review by board`,
  ]);
  return worded`${head}${when(make, reading)}\n  ${does}`;
}

function retrievalRule(make: Making, store: string): Wording {
  const { random, defaults } = make;
  const head = `rule ${nameFor(make, 'retrieval')}\n  on retrieval from ${store}`;
  const closed = defaults.retrieval === 'deny';
  const of = condition(make, { chunk: true });
  switch (
    random.weighted({ allowChunk: closed ? 3 : 0, withhold: 3, newest: 0.5, deny: 1, allow: closed ? 1 : 0, all: 1 })
  ) {
    case 'allowChunk':
      return worded`${head}${when(make, {})}\n  allow chunk where ${of}`;
    case 'withhold':
      return worded`${head}${when(make, {})}\n  withhold chunk unless ${of}${random.chance(0.3) ? ' else say "Some"' : ''}${random.chance(0.3) ? '\n  notify desk' : ''}`;
    case 'newest':
      return worded`${head}${when(make, {})}\n  keep newest chunk.version for each chunk.source`;
    case 'deny':
      return worded`${head}${when(make, { chunk: true })}\n  deny "No"`;
    case 'allow':
      return worded`${head}${when(make, { chunk: true })}\n  allow`;
    case 'all':
      return worded`${head}\n  where ${ofAll(random)}\n  withhold chunk unless ${of}`;
  }
}

/** What some chunk of the answer has, or every one has not. */
function ofAll(random: Random): Wording {
  const body = random.pick([
    'c.classification is at least confidential',
    'c.subject is known and c.subject is "u1"',
    'c.subject is not known',
    'c.groups overlaps caller.groups',
    'c.version is above 2',
  ]);
  return {
    plain: `some c in retrieval.chunks has (${body})`,
    otherwise: `not (every d in retrieval.chunks has (not (${body.replaceAll('c.', 'd.')})))`,
  };
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
  const told = random.chance(0.3) ? '\n  at 40 percent notify desk' : '';
  const each = random.chance(0.4)
    ? `\n  for each ${random.pick(['caller.id', 'caller.region', 'caller.department'])}`
    : '';
  return worded`budget ${name} "Spend"\n  for ${condition(make, {})}${each}\n  limit ${random.pick(['0.005 usd', '0.004_999 eur', '1 usd'])} per month in "Europe/Berlin"${told}${threshold}\n  else deny "Used up"`;
}

function rate(make: Making, name: string): Wording {
  const { random } = make;
  const each = random.chance(0.4) ? `\n  for each ${random.pick(['caller.id', 'caller.region'])}` : '';
  const limit = random.pick(['60 requests per minute', '1_000 requests per hour', '4_000 tokens per day']);
  return worded`rate ${name} "Pace"\n  for ${condition(make, {})}${each}\n  limit ${limit}\n  else deny "Slower"`;
}
