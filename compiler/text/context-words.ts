/**
 * The words of a context, as the kernel compares them: folded, ASCII letters in lower case, one space for each
 * separator.
 */
import * as L from '../../filters/kernel/text/layout.ts';
import { foldCodePoint } from './fold-ranges.ts';

export function encodeWords(words: readonly string[]): Uint8Array {
  const encoded = [...new Set(words.map(normalWord))].sort().map((word) => new TextEncoder().encode(word));
  const bytes = new Uint8Array(L.WORDS_AT + encoded.reduce((sum, word) => sum + word.length + 1, 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(L.WORDS_COUNT, encoded.length, true);
  let first = 0;
  let at = L.WORDS_AT;
  for (const word of encoded) {
    const letter = (word[0] ?? 0) - 0x61;
    first |= 1 << (letter >= 0 && letter < 26 ? letter : 26);
    bytes[at] = word.length;
    bytes.set(word, at + 1);
    at += word.length + 1;
  }
  view.setUint32(L.WORDS_FIRST, first, true);
  return bytes;
}

export function normalWord(word: string): string {
  return [...word.trim()]
    .flatMap((character) => {
      const folded = foldCodePoint(character.codePointAt(0) ?? 0);
      return folded === null ? [] : [String.fromCodePoint(folded)];
    })
    .join('')
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replaceAll(/[\t\n\r._-]/g, ' ');
}
