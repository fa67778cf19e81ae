/** What generated conditions are written with: two wordings of each relation that mean the same. */
import type { Random } from './random.ts';
import { TEXTS } from './source-vocabulary.ts';

/** One declaration, or what a condition says, in both wordings. */
export interface Wording {
  readonly plain: string;
  readonly otherwise: string;
}

export type Style = keyof Wording;

export interface Making {
  readonly random: Random;
  readonly models: readonly string[];
  /** Terms that are there, with what they stand for. They read the caller only, so that every event may use them. */
  readonly terms: { readonly name: string; readonly is: Wording }[];
  readonly defaults: {
    readonly [event in 'prompt' | 'completion' | 'retrieval' | 'ingest' | 'egress']: 'allow' | 'deny';
  };
  readonly calls: 'allow' | 'deny';
  taken: number;
}

export type Leaf = (make: Making) => Wording;

export function aboutText({ random }: Making, path: string): Wording {
  const text = quoted(random.pick(TEXTS));
  return random.pick([
    { plain: `${path} is ${text}`, otherwise: `not (${path} is not ${text})` },
    { plain: `${path} contains ${text}`, otherwise: `not (not (${path} contains ${text}))` },
    oneOf(random, path, TEXTS.map(quoted)),
  ]);
}

export function optionalText({ random }: Making, path: string): Wording {
  const text = quoted(random.pick(TEXTS));
  return random.pick([
    { plain: `${path} is known`, otherwise: `not (${path} is not known)` },
    {
      plain: `${path} is known and ${path} is ${text}`,
      otherwise: `not (${path} is not known or ${path} is not ${text})`,
    },
    {
      plain: `${path} is not known or ${path} contains ${text}`,
      otherwise: `not (${path} is known and not (${path} contains ${text}))`,
    },
  ]);
}

export function aboutEnum({ random }: Making, path: string, members: readonly string[]): Wording {
  const member = random.pick(members);
  return random.chance(0.5)
    ? { plain: `${path} is ${member}`, otherwise: `not (${path} is not ${member})` }
    : oneOf(random, path, members);
}

export function ordered({ random }: Making, path: string, values: readonly string[]): Wording {
  const value = random.pick(values);
  return random.pick([
    { plain: `${path} is at least ${value}`, otherwise: `not (${path} is below ${value})` },
    { plain: `${path} is at most ${value}`, otherwise: `not (${path} is above ${value})` },
    { plain: `${path} is above ${value}`, otherwise: `not (${path} is at most ${value})` },
    { plain: `${path} is ${value}`, otherwise: `${path} is at least ${value} and ${path} is at most ${value}` },
  ]);
}

export function aboutSet({ random }: Making, path: string, other: string): Wording {
  return random.pick([
    anyOf(random, `${path} contains`, TEXTS.map(quoted)),
    { plain: `${path} overlaps ${other}`, otherwise: `${other} overlaps ${path}` },
    { plain: `${path} is subset of ${other}`, otherwise: `not (${path} is not subset of ${other})` },
  ]);
}

export function swapped(random: Random, left: string, right: string, relation: string): Wording {
  return random.chance(0.5)
    ? { plain: `${left} ${relation} ${right}`, otherwise: `${right} ${relation} ${left}` }
    : { plain: `${left} ${relation} not ${right}`, otherwise: `not (${left} ${relation} ${right})` };
}

export function oneOf(random: Random, path: string, values: readonly string[]): Wording {
  const some = atLeastTwo(random, values);
  return {
    plain: `${path} is one of (${some.join(', ')})`,
    otherwise: some
      .toReversed()
      .map((value) => `${path} is ${value}`)
      .join(' or '),
  };
}

export function anyOf(random: Random, says: string, values: readonly string[]): Wording {
  const some = atLeastTwo(random, values);
  return {
    plain: `${says} any of (${some.join(', ')})`,
    otherwise: some
      .toReversed()
      .map((value) => `${says} ${value}`)
      .join(' or '),
  };
}

function atLeastTwo(random: Random, values: readonly string[]): readonly string[] {
  const some = random.some(values, 0.5);
  return some.length < 2 ? values.slice(0, 2) : some;
}

export function quoted(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

/** A text of the language, with its parts in either wording. */
export function worded(strings: TemplateStringsArray, ...parts: readonly (Wording | string)[]): Wording {
  const as = (style: Style): string =>
    strings.reduce((text, string, at) => {
      const part = parts[at - 1]!;
      return `${text}${typeof part === 'string' ? part : part[style]}${string}`;
    });
  return { plain: as('plain'), otherwise: as('otherwise') };
}
