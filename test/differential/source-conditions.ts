/** Random conditions as text, each in two wordings that mean the same. */
import {
  quoted,
  aboutEnum,
  aboutSet,
  aboutText,
  anyOf,
  type Leaf,
  type Making,
  optionalText,
  ordered,
  swapped,
  type Wording,
} from './wordings.ts';
import { TEXTS } from './source-vocabulary.ts';

/** What a condition may read, besides the caller. */
export interface Reading {
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

export function condition(make: Making, reading: Reading, depth = 0): Wording {
  const { random } = make;
  const kind = depth >= DEPTH_MAX ? 'leaf' : random.weighted({ leaf: 5, and: 2, or: 2, not: 1 });
  if (kind === 'leaf') return leaf(make, reading);
  if (kind === 'not') {
    const of = condition(make, reading, depth + 1);
    return { plain: `not (${of.plain})`, otherwise: `not (not (not (${of.otherwise})))` };
  }
  return joined(kind, condition(make, reading, depth + 1), condition(make, reading, depth + 1));
}

function joined(kind: 'and' | 'or', left: Wording, right: Wording): Wording {
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
    const [time, hours] = [random.pick(['now', 'caller.since']), random.pick(['office', 'night', 'workdays'])];
    return { plain: `${time} is in hours ${hours}`, otherwise: `not (${time} is not in hours ${hours})` };
  },
  ({ random }) => {
    const who = random.pick(['caller.id', 'caller.id', 'caller.manager']);
    const listed = { plain: `${who} is in blocked`, otherwise: `not (${who} is not in blocked)` };
    return who === 'caller.id'
      ? listed
      : joined('and', { plain: `${who} is known`, otherwise: `${who} is known` }, listed);
  },
  ({ random }) => {
    const name = random.pick(['stop', 'glass']);
    return { plain: `switch ${name}`, otherwise: `not (not (switch ${name}))` };
  },
  () => ({ plain: 'caller.verified', otherwise: 'caller.verified is true' }),
  () => ({ plain: 'caller.verified is false', otherwise: 'not (caller.verified)' }),
];

const DATES = ['2024-02-29', '2026-12-31', '1970-01-01'] as const;
/** Some of them come twice, or never, in Berlin. */
const TIMES = ['2026-03-29', '2026-03-29 02:30', '2026-10-25 02:30', '2026-10-04 09:00'] as const;
export const LEVELS = ['public', 'internal', 'confidential', 'restricted'] as const;

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
