/**
 * Packs the image of a policy's tables: most of it are numbers with zeros in them, and texts that are alike. The filter
 * unpacks it once, where it begins (filters/kernel/unpack.ts). In sequences, as in LZ4's blocks: a byte with two counts,
 * of literals and of what a match is longer than MATCH_LEAST; a count of 15 goes on in bytes, up to the first below 255;
 * the literals; how far back the match lies, u16; the last sequence has no match.
 */

/** Shorter matches would save nothing. */
const MATCH_LEAST = 4;
const DISTANCE_MAX = 0xffff;
const COUNT_MAX = 15;
/** Earlier places that are tried for a match, the nearest first; one as long as this is not bettered. */
const TRIES_MAX = 64;
const LENGTH_ENOUGH = 256;
const HASH_BITS = 15;

export function pack(image: Uint8Array): Uint8Array {
  const out: number[] = [];
  /** For a hash of four bytes the last place where such stood, and for each place the one before it. */
  const lasts = new Int32Array(1 << HASH_BITS).fill(-1);
  const befores = new Int32Array(image.length).fill(-1);
  const note = (at: number): void => {
    if (at + MATCH_LEAST > image.length) return;
    const hash = hashAt(image, at);
    befores[at] = lasts[hash]!;
    lasts[hash] = at;
  };
  let from = 0;
  for (let at = 0; at + MATCH_LEAST <= image.length;) {
    const { distance, length } = longest(image, at, lasts[hashAt(image, at)]!, befores);
    if (length === 0) {
      note(at);
      at += 1;
      continue;
    }
    pushSequence(out, image.subarray(from, at), { distance, length });
    for (const end = at + length; at < end; at += 1) note(at);
    from = at;
  }
  pushSequence(out, image.subarray(from), null);
  return Uint8Array.from(out);
}

interface Match {
  readonly distance: number;
  readonly length: number;
}

function longest(image: Uint8Array, at: number, first: number, befores: Int32Array): Match {
  let best = { distance: 0, length: 0 };
  let place = first;
  for (let tries = 0; tries < TRIES_MAX && place >= 0 && at - place <= DISTANCE_MAX; tries += 1) {
    let length = 0;
    while (at + length < image.length && image[place + length] === image[at + length]) length += 1;
    if (length >= MATCH_LEAST && length > best.length) best = { distance: at - place, length };
    if (best.length >= LENGTH_ENOUGH) break;
    place = befores[place]!;
  }
  return best;
}

/** Of the four bytes at a place: a multiplication spreads them over the upper bits. */
function hashAt(image: Uint8Array, at: number): number {
  const word = image[at]! | (image[at + 1]! << 8) | (image[at + 2]! << 16) | (image[at + 3]! << 24);
  return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function pushSequence(out: number[], literals: Uint8Array, match: Match | null): void {
  const more = match === null ? 0 : match.length - MATCH_LEAST;
  out.push((Math.min(literals.length, COUNT_MAX) << 4) | Math.min(more, COUNT_MAX));
  pushCount(out, literals.length);
  for (const byte of literals) out.push(byte);
  if (match === null) return;
  out.push(match.distance & 0xff, match.distance >> 8);
  pushCount(out, more);
}

function pushCount(out: number[], count: number): void {
  if (count < COUNT_MAX) return;
  let rest = count - COUNT_MAX;
  for (; rest >= 255; rest -= 255) out.push(255);
  out.push(rest);
}
