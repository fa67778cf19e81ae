/**
 * What was read from a text, kept for the next time that the same text comes: most exchanges are decided as one before
 * them was. Bounded: a text that is too long is read anew each time, and one too many makes room for all that follow.
 */
import { ownText } from './own-text.ts';

/** Texts that are kept. */
export const TEXTS_MAX = 1_024;
/** Of one, in UTF-16 units. */
export const TEXT_LENGTH_MAX = 8_192;

export class KnownTexts<T> {
  readonly #read: (text: string) => T;
  readonly #known = new Map<string, T>();

  constructor(read: (text: string) => T) {
    this.#read = read;
  }

  of(text: string): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const read = this.#read(text);
    if (text.length > TEXT_LENGTH_MAX) return read;
    if (this.#known.size >= TEXTS_MAX) this.#known.clear();
    this.#known.set(ownText(text), read);
    return read;
  }
}
