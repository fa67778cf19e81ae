/**
 * Reads values of an untrusted JSON document, collecting what is wrong with the path of each place. It knows nothing of
 * deployments.
 */
import { didYouMean } from '../../dsl/did-you-mean.ts';

/** A user's mistake in a JSON document. */
export interface Problem {
  /** E.g. `models.gemma.url`; empty for the document itself. */
  readonly path: string;
  /** Lower case, one line, no full stop, what the user wrote in backticks. */
  readonly message: string;
  readonly help?: string;
}

export const PROBLEMS_MAX = 100;
/** User input quoted in a message is cut to this many characters. */
const QUOTED_CHARACTERS_MAX = 60;

export class JsonReader {
  readonly problems: Problem[] = [];

  problem(path: string, message: string, help?: string): void {
    if (this.problems.length < PROBLEMS_MAX)
      this.problems.push(help === undefined ? { path, message } : { path, message, help });
  }

  /** An object with these keys and no others; undefined, with a problem noted, where it is something else. */
  object(
    value: unknown,
    path: string,
    keys: { readonly required: readonly string[]; readonly optional: readonly string[] },
  ): Record<string, unknown> | undefined {
    const entries = this.record(value, path);
    if (entries === undefined) return undefined;
    const known = [...keys.required, ...keys.optional];
    for (const key of Object.keys(entries)) {
      if (known.includes(key)) continue;
      const meant = didYouMean(key, known);
      this.problem(
        join(path, key),
        `unknown key ${quoted(key)}`,
        meant === null ? `the keys here are ${known.map(quoted).join(', ')}` : `did you mean ${quoted(meant)}?`,
      );
    }
    for (const key of keys.required) {
      if (!Object.hasOwn(entries, key)) this.problem(path, `${quoted(key)} is missing`);
    }
    return entries;
  }

  record(value: unknown, path: string): Record<string, unknown> | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    this.problem(path, `an object is wanted here, this is ${describe(value)}`);
    return undefined;
  }

  list(value: unknown, path: string, most: number): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.problem(path, `a list is wanted here, this is ${describe(value)}`);
      return [];
    }
    if (value.length > most) this.problem(path, `the list has ${value.length} entries, at most ${most} are allowed`);
    return value.slice(0, most);
  }

  text(value: unknown, path: string): string | undefined {
    if (typeof value === 'string' && value !== '') return value;
    if (value !== undefined) this.problem(path, `a text that is not empty is wanted here, this is ${describe(value)}`);
    return undefined;
  }

  integer(value: unknown, path: string, range: { readonly least: number; readonly most: number }): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.least && value <= range.most)
      return value;
    if (value !== undefined)
      this.problem(
        path,
        `a whole number from ${range.least} to ${range.most} is wanted here, this is ${describe(value)}`,
      );
    return undefined;
  }
}

export function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

export function quoted(text: string): string {
  const printable = text.replace(/[\p{C}`]/gu, '?');
  return `\`${printable.length > QUOTED_CHARACTERS_MAX ? `${printable.slice(0, QUOTED_CHARACTERS_MAX)}…` : printable}\``;
}

function describe(value: unknown): string {
  if (value === null) return '`null`';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value === '' ? 'an empty text' : `the text ${quoted(value)}`;
  return quoted(String(value));
}
