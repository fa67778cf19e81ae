/**
 * What must hold of every exchange, whatever its body: card numbers written plainly do not leave, what leaves is JSON
 * for others too, and chunks make no difference. The card search here is its own: it knows only the plainest forms,
 * those that no reading of the rules leaves out.
 */
import type { Seen } from '../kernel/test-filter.ts';
import type { Target } from './targets.ts';

/** Sixteen digits of a card, written in one or in fours with a blank or a dash, and no letter or digit beside them. */
const PLAIN_CARD = /(?<![\p{L}\p{N}\p{M}_]|\d[.,/-])4\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}(?![\p{L}\p{N}\p{M}_]|[.,/-]\d)/gu;

/** What is wrong with the exchange, or undefined. */
export function fault(target: Target, seen: Seen): string | undefined {
  const text = target.side === 'request' ? seen.sent : seen.got;
  if (text === null || text === '') return undefined;
  if (target.side === 'reply' && seen.status !== 200) return undefined;
  if (target.form === 'json') return jsonFault(text, target.isMasked);
  return streamFault(text, target);
}

function jsonFault(text: string, isMasked: boolean): string | undefined {
  const leaves = leavesOf(text);
  if (leaves === undefined) return 'what was let through is not JSON';
  const leak = isMasked ? leaves.find(holdsCard) : undefined;
  return leak === undefined ? undefined : `a card number was let through: ${JSON.stringify(leak)}`;
}

/** What we say where a stream is cut short. A number that stands there may be the beginning of a longer one. */
const CUT_SHORT = /"(?:refusal|message)":"the upstream's reply cannot be read"/;

/**
 * Every `data` of the stream is JSON or the end mark; what one channel says, put together, holds no card number, nor
 * does what stands beside the channels.
 */
function streamFault(text: string, { name }: Target): string | undefined {
  const isAnthropic = name.startsWith('anthropic');
  const channels = new Map<string, string>();
  for (const data of eventsOf(text)) {
    // An event without data says nothing.
    if (data.trim() === '' || data.trim() === '[DONE]') continue;
    const leaves = leavesOf(data);
    if (leaves === undefined) return `an event was let through that is not JSON: ${JSON.stringify(data)}`;
    const pieces = [...piecesOf(JSON.parse(data), isAnthropic)];
    for (const [channel, piece] of pieces) channels.set(channel, (channels.get(channel) ?? '') + piece);
    const leak = leaves.find((leaf) => holdsCard(leaf) && !pieces.some(([, piece]) => piece === leaf));
    if (leak !== undefined) return `a card number was let through beside the text: ${JSON.stringify(leak)}`;
  }
  const mayBeCut = CUT_SHORT.test(text);
  for (const [channel, said] of channels) {
    if (holdsCard(mayBeCut ? said.replace(/[\d -]+$/, '') : said))
      return `a card number was let through in ${channel}: ${JSON.stringify(said)}`;
  }
  return undefined;
}

/** The data of each event, as the HTML standard (9.2.6) reads a stream. */
function eventsOf(text: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
    } else if (line === 'data') data.push('');
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return events;
}

interface Piece {
  readonly index?: unknown;
  /** What Anthropic's blocks begin with. */
  readonly content_block?: { readonly text?: unknown } | null;
  readonly delta?: {
    readonly [field: string]: unknown;
    readonly tool_calls?: readonly { readonly index?: unknown; readonly function?: { readonly arguments?: unknown } }[];
  };
}

/** What an event adds to the texts of OpenAI's and Anthropic's streams: each choice, or the event itself. */
function* piecesOf(document: unknown, isAnthropic: boolean): Generator<readonly [channel: string, piece: string]> {
  if (typeof document !== 'object' || document === null) return;
  const { choices } = document as { readonly choices?: unknown };
  const all: readonly Piece[] = isAnthropic
    ? [document as Piece]
    : Array.isArray(choices)
      ? (choices as readonly Piece[])
      : [];
  for (const each of all) {
    if (typeof each !== 'object' || each === null) continue;
    const { index = 0, delta, content_block } = each;
    if (typeof content_block?.text === 'string') yield [`${String(index)} text`, content_block.text];
    if (typeof delta !== 'object' || delta === null) continue;
    for (const field of ['content', 'text', 'partial_json', 'thinking', 'reasoning_content', 'refusal']) {
      const piece = delta[field];
      if (typeof piece === 'string') yield [`${String(index)} ${field}`, piece];
    }
    if (!Array.isArray(delta.tool_calls)) continue;
    for (const call of delta.tool_calls) {
      const piece = call?.function?.arguments;
      if (typeof piece === 'string') yield [`${String(index)} call ${String(call.index ?? 0)}`, piece];
    }
  }
}

/** Keys and values as texts, numbers as they are written; undefined where the text is no JSON. */
function leavesOf(text: string): string[] | undefined {
  const leaves: string[] = [];
  try {
    JSON.parse(text, (key: string, value: unknown, context?: { readonly source?: string }) => {
      leaves.push(key);
      if (typeof value === 'string') leaves.push(value);
      else if (typeof value === 'number') leaves.push(context?.source ?? String(value));
      return value;
    });
    return leaves;
  } catch {
    return undefined;
  }
}

function holdsCard(text: string): boolean {
  // What nobody sees parts no digits.
  return [...text.replaceAll(/\p{Cf}/gu, '').matchAll(PLAIN_CARD)].some(([found]) =>
    isLuhn(found.replaceAll(/\D/g, '')),
  );
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** What a cut must not change. */
export function sameSeen(a: Seen, b: Seen): boolean {
  return (
    a.sent === b.sent &&
    a.status === b.status &&
    a.got === b.got &&
    JSON.stringify(a.records) === JSON.stringify(b.records)
  );
}
