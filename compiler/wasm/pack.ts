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
/** Earlier places that are tried for a match, the nearest first. */
const TRIES_MAX = 64;

export function pack(image: Uint8Array): Uint8Array {
  const out: number[] = [];
  /** For four bytes the last place where they stood, and for each place the one before it. */
  const lasts = new Map<number, number>();
  const befores = new Int32Array(image.length).fill(-1);
  const note = (at: number): void => {
    if (at + MATCH_LEAST > image.length) return;
    const key = wordAt(image, at);
    befores[at] = lasts.get(key) ?? -1;
    lasts.set(key, at);
  };
  let from = 0;
  for (let at = 0; at + MATCH_LEAST <= image.length;) {
    const { distance, length } = longest(image, at, lasts.get(wordAt(image, at)) ?? -1, befores);
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
    let length = MATCH_LEAST;
    while (at + length < image.length && image[place + length] === image[at + length]) length += 1;
    if (length > best.length) best = { distance: at - place, length };
    place = befores[place] ?? -1;
  }
  return best;
}

function wordAt(image: Uint8Array, at: number): number {
  return (
    ((image[at] ?? 0) | ((image[at + 1] ?? 0) << 8) | ((image[at + 2] ?? 0) << 16) | ((image[at + 3] ?? 0) << 24)) >>> 0
  );
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
