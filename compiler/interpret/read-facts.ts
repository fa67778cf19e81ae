/**
 * Stratum 1: from the decision's input document to the state of every fact. Nothing is repaired here: what is not
 * exactly of its type has failed.
 */
import { type CollectionField, type Fact, type FactType, type Plan, SET_MEMBERS_MAX } from '../plan/plan.ts';
import { sortedSet } from '../plan/order.ts';

export type Scalar = boolean | number | string | readonly string[];
/** An element of a collection: its fields in declared order; undefined is unknown. */
export type Element = readonly (Scalar | undefined)[];
export type FactState =
  | { readonly state: 'known'; readonly value: Scalar | readonly Element[] }
  | { readonly state: 'unknown' }
  | { readonly state: 'failed' };

const FAILED: FactState = { state: 'failed' };
const ABSENT = Symbol('absent');
const BROKEN = Symbol('broken');

/** One state a fact, by FactId. `input` is the decision's input document, already known to be an object. */
export function readFacts(plan: Plan, input: object): readonly FactState[] {
  return plan.facts.map((fact) => readFact(plan, fact, input));
}

function readFact(plan: Plan, fact: Fact, input: object): FactState {
  const raw = valueAt(input, fact.path);
  if (raw === ABSENT) return absent(fact);
  if (raw === BROKEN) return FAILED;
  const value =
    fact.type.kind === 'collection' ? readCollection(plan, fact.type, raw) : readScalar(plan, fact.type, raw);
  return value === undefined ? FAILED : { state: 'known', value };
}

function absent(fact: Fact): FactState {
  switch (fact.absent.kind) {
    case 'fails':
      return FAILED;
    case 'unknown':
      return { state: 'unknown' };
    case 'else':
      return { state: 'known', value: fact.absent.value };
  }
}

/** ABSENT where a key on the way is missing or null; BROKEN where the way leads through something that is no object. */
function valueAt(input: object, path: readonly string[]): unknown {
  let value: unknown = input;
  for (const key of path) {
    if (!isObject(value)) return BROKEN;
    value = ownValue(value, key);
    if (value === undefined || value === null) return ABSENT;
  }
  return value;
}

function ownValue(object: { readonly [key: string]: unknown }, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** undefined where the value is not of the type. */
function readScalar(plan: Plan, type: CollectionField['type'], raw: unknown): Scalar | undefined {
  switch (type.kind) {
    case 'bool':
      return typeof raw === 'boolean' ? raw : undefined;
    case 'number':
      return typeof raw === 'number' ? scaledInteger(raw, type.scale) : undefined;
    case 'text':
      return isText(raw) ? raw : undefined;
    case 'date':
      return typeof raw === 'string' ? dayOf(raw) : undefined;
    case 'enum':
      return isText(raw) && membersOf(plan, type.enum).includes(raw) ? raw : undefined;
    case 'text_set':
      return readSet(raw, () => true);
    case 'enum_set':
      return readSet(raw, (member) => membersOf(plan, type.enum).includes(member));
  }
}

function readSet(raw: unknown, admits: (member: string) => boolean): readonly string[] | undefined {
  if (!Array.isArray(raw) || raw.length > SET_MEMBERS_MAX) return undefined;
  if (!raw.every((member) => isText(member) && admits(member))) return undefined;
  return sortedSet(raw);
}

function readCollection(
  plan: Plan,
  type: Extract<FactType, { kind: 'collection' }>,
  raw: unknown,
): readonly Element[] | undefined {
  if (!Array.isArray(raw) || raw.length > type.most) return undefined;
  const elements: Element[] = [];
  for (const item of raw) {
    if (!isObject(item)) return undefined;
    const element: (Scalar | undefined)[] = [];
    for (const field of type.fields) {
      const given = ownValue(item, field.name) ?? undefined;
      const value = readScalar(plan, field.type, given);
      if (value === undefined && !(field.optional && given === undefined)) return undefined;
      element.push(value);
    }
    elements.push(element);
  }
  return elements;
}

/**
 * The integer `x · 10^scale`; undefined where that is no integer, or one above 2^53−1 in magnitude. Reads the decimal
 * text of `x`, because a binary fraction's product would be rounded.
 */
function scaledInteger(x: number, scale: number): number | undefined {
  const text = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(x));
  if (text === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = text;
  const zeros = scale + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const divisor = 10n ** BigInt(Math.max(0, -zeros));
  if (digits % divisor !== 0n) return undefined;
  const scaled = (digits / divisor) * 10n ** BigInt(Math.max(0, zeros));
  if (scaled > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return scaled === 0n ? 0 : Number(sign === '-' ? -scaled : scaled);
}

/** Days since 1970-01-01; undefined for what is no day of the calendar in the form YYYY-MM-DD. */
function dayOf(text: string): number | undefined {
  const instant = Date.parse(`${text}T00:00:00Z`);
  // Parsers take other forms, too, and a 30 February for a day in March.
  if (Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 10) !== text) return undefined;
  return instant / 86_400_000;
}

function membersOf(plan: Plan, name: string): readonly string[] {
  return plan.enums.find((type) => type.name === name)?.members ?? [];
}

function isText(raw: unknown): raw is string {
  return typeof raw === 'string' && raw.isWellFormed();
}

function isObject(raw: unknown): raw is { readonly [key: string]: unknown } {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
