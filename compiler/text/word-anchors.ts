/**
 * Few and rare three-byte pieces such that every context word has one of them: how a form is noticed whose own text
 * looks like any other.
 */
import { anchorFrequency, type Anchor, type PlacedAnchor } from './anchor.ts';
import { ALL_BYTES, NO_BYTES, type ByteSet } from './byte-set.ts';
import { normalWord } from './context-words.ts';

export interface WordAnchors {
  readonly anchors: readonly PlacedAnchor[];
  readonly frequency: number;
}

const PIECE = 4;
const SEPARATORS = ' \t\n\r._-';

export function wordAnchors(words: readonly string[]): WordAnchors {
  const encoded = [...new Set(words.map(normalWord))].map((word) => [...new TextEncoder().encode(word)]);
  const pieces = new Map<string, Piece>();
  encoded.forEach((word, i) => {
    for (let at = 0; at === 0 || at + PIECE <= word.length; at += 1) {
      const piece = word.slice(at, at + PIECE);
      const bytes: Anchor = [bytesFor(piece[0]), bytesFor(piece[1]), bytesFor(piece[2]), bytesFor(piece[3])];
      const entry = pieces.get(piece.join()) ?? {
        bytes,
        frequency: anchorFrequency(bytes),
        words: new Set(),
        places: [],
      };
      entry.words.add(i);
      entry.places.push(at);
      pieces.set(piece.join(), entry);
    }
  });
  const chosen: Piece[] = [];
  const open = new Set(encoded.keys());
  while (open.size > 0) {
    const worth = (piece: Piece): number => [...piece.words].filter((word) => open.has(word)).length / piece.frequency;
    const best = [...pieces.values()].reduce((most, candidate) => (worth(candidate) > worth(most) ? candidate : most));
    for (const word of best.words) open.delete(word);
    chosen.push(best);
  }
  return {
    anchors: chosen.map(({ bytes, places }) => ({
      bytes,
      backLeast: Math.min(...places),
      backMost: Math.max(...places),
    })),
    frequency: chosen.reduce((sum, { frequency }) => sum + frequency, 0),
  };
}

interface Piece {
  readonly bytes: Anchor;
  readonly frequency: number;
  readonly words: Set<number>;
  /** Where it stands in its words. */
  readonly places: number[];
}

/** What a byte of a context word may be in text; undefined: behind a short word, anything. */
function bytesFor(byte: number | undefined): ByteSet {
  if (byte === undefined) return ALL_BYTES;
  if (byte === 0x20) return [...SEPARATORS].reduce((set, sign) => set | (1n << BigInt(sign.charCodeAt(0))), NO_BYTES);
  if (byte >= 0x61 && byte <= 0x7a) return (1n << BigInt(byte)) | (1n << BigInt(byte - 0x20));
  return 1n << BigInt(byte);
}
