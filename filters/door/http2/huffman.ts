/** HPACK's Huffman code (RFC 7541, section 5.2 and appendix B), read only: we write no Huffman. */
import { COMPRESSION_ERROR, ConnectionError } from './frame.ts';

/**
 * Bits of each symbol's code; the last symbol is EOS. The code is canonical: shorter codes first, then smaller symbols,
 * so the lengths say all.
 */
// prettier-ignore
const CODE_BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
  10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5,
  6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22,
  23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26,
  26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27,
  27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27,
  27, 27, 27, 27, 26, 30,
];
const EOS = 256;
/** Padding is shorter than a byte, and made of EOS's first bits: ones. */
const PADDING_BITS_MAX = 7;

/** Two entries a node: the next node where it is positive, a symbol (as `-1 - symbol`) where it is negative. */
const TREE = tree();

export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let node = 0;
  let bits = 0;
  let isOnes = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >> shift) & 1;
      const next = TREE[node * 2 + bit] ?? 0;
      bits++;
      isOnes &&= bit === 1;
      if (next >= 0) {
        node = next;
        continue;
      }
      const symbol = -1 - next;
      if (symbol === EOS) throw new ConnectionError(COMPRESSION_ERROR, 'EOS in a Huffman string');
      text += String.fromCharCode(symbol);
      node = 0;
      bits = 0;
      isOnes = true;
    }
  }
  if (bits > PADDING_BITS_MAX || !isOnes)
    throw new ConnectionError(COMPRESSION_ERROR, 'a Huffman string with false padding');
  return text;
}

function tree(): Int16Array {
  const symbols = CODE_BITS.map((_, symbol) => symbol).sort(
    (a, b) => (CODE_BITS[a] ?? 0) - (CODE_BITS[b] ?? 0) || a - b,
  );
  const nodes = new Int16Array(2 * CODE_BITS.length);
  let count = 1;
  let code = -1;
  let length = CODE_BITS[symbols[0] ?? 0] ?? 0;
  for (const symbol of symbols) {
    const own = CODE_BITS[symbol] ?? 0;
    code = (code + 1) * 2 ** (own - length);
    length = own;
    let node = 0;
    for (let bit = own - 1; bit > 0; bit--) {
      const place = node * 2 + (Math.floor(code / 2 ** bit) % 2);
      nodes[place] ||= count++;
      node = nodes[place] ?? 0;
    }
    nodes[node * 2 + (code % 2)] = -1 - symbol;
  }
  return nodes;
}
