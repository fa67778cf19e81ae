// Whether somebody, or some lenient program, may read the card number in a text: an oracle for tests, which knows
// nothing of the kernel. It takes a body (a JSON document, an event stream, or any text), puts together what belongs
// together, and looks for sixteen digits in a row, whatever script they are of and whatever stands between them.

const CARD = '4111111111111111';
const DEPTH_MAX = 8;

export function readsAsCard(body: string): boolean {
  return [body, ...lanesOf(body)].some((text) => digitsOf(text).includes(CARD));
}

/** Digits as ASCII, letters as they are, nothing else. */
function digitsOf(text: string): string {
  return unescaped(text)
    .normalize('NFKC')
    .replaceAll(/\p{Nd}/gu, (digit) => String(valueOf(digit)))
    .replaceAll(/[^\p{L}\p{Nd}]/gu, '');
}

/** Scripts have their ten digits in a row, from a place whose number ends in 0 or 6. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return code - zero;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\+u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Texts that are read as one: a message's parts, and what a stream says for one choice or one call. */
function lanesOf(body: string): readonly string[] {
  const frames = [...body.matchAll(/^data: (\{.*\})\r?$/gm)].map(([, frame = '']) => frame);
  if (frames.length > 0) return streamLanes(frames);
  const document = parsed(body.trim());
  if (typeof document !== 'object' || document === null) return [];
  const messages = 'messages' in document && Array.isArray(document.messages) ? document.messages : [document];
  return messages.map((message: unknown) => leavesOf(message, 0).join(''));
}

function streamLanes(frames: readonly string[]): string[] {
  const lanes = new Map<string, string>();
  const add = (lane: string, text: unknown): void => {
    if (typeof text === 'string') lanes.set(lane, `${lanes.get(lane) ?? ''}${text}`);
  };
  for (const frame of frames) {
    const document: { choices?: readonly { index: number; delta?: Delta }[] } = JSON.parse(frame);
    for (const { index, delta } of document.choices ?? []) {
      add(`${index}`, delta?.content);
      for (const call of delta?.tool_calls ?? []) add(`${index} ${call.index}`, call.function?.arguments);
    }
  }
  return [...lanes.values()];
}

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly index: number; readonly function?: { readonly arguments?: string } }[];
}

/** Keys and values in their order; a text that is JSON itself is read as such. Words of the protocol are left out. */
function leavesOf(value: unknown, depth: number): string[] {
  if (depth > DEPTH_MAX) return [];
  if (typeof value === 'string') {
    const inner = parsed(value);
    return typeof inner === 'object' && inner !== null ? leavesOf(inner, depth + 1) : [value];
  }
  if (typeof value !== 'object' || value === null) return [String(value)];
  if (Array.isArray(value)) return value.flatMap((each: unknown) => leavesOf(each, depth + 1));
  return Object.entries(value).flatMap(([key, each]) =>
    ['type', 'role'].includes(key)
      ? []
      : [...(key === 'text' || key === 'content' ? [] : [key]), ...leavesOf(each, depth + 1)],
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
