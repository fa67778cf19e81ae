/** Chat requests for test/bench/kernel.ts: what applications send, and what hurts most. */
import { codeText, digitGroups, prose } from './scan-texts.ts';
import { seeded } from '../text/random-text.ts';

export interface KernelText {
  readonly name: string;
  /** JSON, accepted by the example policy. */
  readonly body: string;
}

const SMALL = 1_700;
const LARGE = 225_000;

export const KERNEL_TEXTS: readonly KernelText[] = [
  { name: 'prose', body: chat([text(prose, SMALL)]) },
  {
    name: 'a card and an address of mail in prose',
    body: chat([`${text(prose, SMALL)} 4111 1111 1111 1111, a@example.com`]),
  },
  { name: 'prose', body: chat([text(prose, LARGE)]) },
  { name: 'prose in 400 messages', body: chat(pieces(text(prose, LARGE), 400)) },
  { name: 'source text, an escape in every line', body: chat([text(codeText, LARGE)]) },
  { name: 'escapes only', body: chat(['\n"\\'.repeat(LARGE / 6)]) },
  { name: 'French in \\u escapes', body: escaped(chat([accented(text(prose, LARGE / 2))])) },
  { name: 'Chinese', body: chat(['请总结下面的文字，并说明作者为什么这样认为。'.repeat(LARGE / 66)]) },
  { name: 'digits in groups', body: chat([text(digitGroups, LARGE)]) },
  { name: '4,000 messages of one letter', body: chat(Array.from({ length: 4_000 }, () => 'x')) },
];

function chat(messages: readonly string[]): string {
  return JSON.stringify({
    model: 'frontier-1',
    messages: messages.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })),
    temperature: 0.7,
  });
}

function text(make: (random: () => number) => string, length: number): string {
  return make(seeded(2)).slice(0, length);
}

function pieces(whole: string, count: number): readonly string[] {
  const size = Math.ceil(whole.length / count);
  return Array.from({ length: count }, (_, i) => whole.slice(i * size, (i + 1) * size));
}

function accented(plain: string): string {
  return plain.replaceAll('e', 'é').replaceAll('a', 'à');
}

/** As Python's `json.dumps` writes it. */
function escaped(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
