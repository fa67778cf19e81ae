/**
 * How Rego is written: names, strings, sets, rules, in the style of `opa fmt`. It knows the syntax and nothing of
 * plans.
 */
import { sortedSet } from '../plan/order.ts';

/** A rule with a body: `HEAD if {`, one statement a line. A body that always holds is no body. */
export function rule(head: string, body: readonly string[]): string {
  const always = body.every((statement) => statement === 'true');
  if (always) return / contains |:=/.test(head) ? head : `${head} := true`;
  return [`${head} if {`, ...body.map(indented), '}'].join('\n');
}

/** Every line of a text, one tab deeper. */
export function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `\t${line}`)
    .join('\n');
}

/** A comment of one line a text. Control characters and line ends cannot leave it. */
export function comment(...texts: readonly string[]): string {
  return texts.map((text) => `# ${text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()}`).join('\n');
}

export function heading(text: string): string {
  return `# ${'-'.repeat(Math.max(4, 114 - text.length))} ${text}`;
}

/**
 * `opa fmt` rewrites what is not printable ASCII in ways that Rego does not read back: such texts stand in the data.
 */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A set of literals that are already Rego. */
export function setOf(literals: readonly string[]): string {
  return literals.length === 0 ? 'set()' : `{${literals.join(', ')}}`;
}

export function setOfTexts(texts: Iterable<string>): string {
  return setOf(sortedSet(texts).map(quoted));
}

/** `.name`, or `["a name"]` where the name is no identifier. */
export function member(name: string): string {
  return IDENTIFIER.test(name) ? `.${name}` : `[${quoted(name)}]`;
}

/** Words joined to one identifier that starts with the first. */
export function identifier(...words: readonly string[]): string {
  return words.map((word) => word.replace(/[^A-Za-z0-9_]/g, '_')).join('_');
}

/** A list that breaks into one line an item. */
export function lines(open: string, items: readonly string[], close: string): string {
  return items.length === 0
    ? `${open}${close}`
    : [open, ...items.map((item) => `${indented(item)},`), close].join('\n');
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
