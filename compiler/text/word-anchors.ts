/** Few and rare three-byte pieces such that every context word has one of them: how a form is noticed whose own text looks like any other. */
import { anchorFrequency, type Anchor } from './anchor.ts';
import { ALL_BYTES, NO_BYTES, type ByteSet } from './byte-set.ts';
import { normalWord } from './context-words.ts';

export interface WordAnchors {
  readonly anchors: readonly Anchor[];
  readonly frequency: number;
  /** Bytes from a word's beginning to its piece at most. */
  readonly backMost: number;
}

const PIECE = 3;
const SEPARATORS = ' \t\n\r._-';

export function wordAnchors(words: readonly string[]): WordAnchors {
  const encoded = [...new Set(words.map(normalWord))].map((word) => [...new TextEncoder().encode(word)]);
  const pieces = new Map<string, { readonly anchor: Anchor; readonly frequency: number; readonly words: Set<number> }>();
  encoded.forEach((word, i) => {
    for (let at = 0; at === 0 || at + PIECE <= word.length; at += 1) {
      const piece = word.slice(at, at + PIECE);
      const anchor: Anchor = [bytesFor(piece[0]), bytesFor(piece[1]), bytesFor(piece[2])];
      const entry = pieces.get(piece.join()) ?? { anchor, frequency: anchorFrequency(anchor), words: new Set() };
      entry.words.add(i);
      pieces.set(piece.join(), entry);
    }
  });
  const anchors: Anchor[] = [];
  let frequency = 0;
  let backMost = 0;
  const open = new Set(encoded.keys());
  while (open.size > 0) {
    const worth = (piece: { readonly frequency: number; readonly words: ReadonlySet<number> }): number => [...piece.words].filter((word) => open.has(word)).length / piece.frequency;
    const [key, best] = [...pieces].reduce((most, candidate) => (worth(candidate[1]) > worth(most[1]) ? candidate : most));
    for (const word of best.words) {
      open.delete(word);
      backMost = Math.max(backMost, placeOf(encoded[word] ?? [], key));
    }
    anchors.push(best.anchor);
    frequency += best.frequency;
  }
  return { anchors, frequency, backMost };
}

/** The last place of a piece in a word: the anchor is seen at each of its places. */
function placeOf(word: readonly number[], key: string): number {
  for (let at = word.length - 1; at > 0; at -= 1) if (word.slice(at, at + PIECE).join() === key) return at;
  return 0;
}

/** What a byte of a context word may be in text; undefined: behind a short word, anything. */
function bytesFor(byte: number | undefined): ByteSet {
  if (byte === undefined) return ALL_BYTES;
  if (byte === 0x20) return [...SEPARATORS].reduce((set, sign) => set | (1n << BigInt(sign.charCodeAt(0))), NO_BYTES);
  if (byte >= 0x61 && byte <= 0x7a) return (1n << BigInt(byte)) | (1n << BigInt(byte - 0x20));
  return 1n << BigInt(byte);
}
