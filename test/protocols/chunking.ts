/**
 * Every way to cut a body that a test can afford: each single split point, each byte on its own, and seeded random
 * splits.
 */

/** A small generator with a seed that a failure can print (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Cut = (bytes: Uint8Array) => readonly Uint8Array[];

/** Names and cuts; `length` is the longest body that they will meet. */
export function* cuts(length: number, randoms: number): Generator<readonly [name: string, cut: Cut]> {
  for (let at = 1; at < length; at += 1)
    yield [`split at ${at}`, (bytes) => (at < bytes.length ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes])];
  yield [
    'each byte',
    (bytes) => (bytes.length === 0 ? [bytes] : Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))),
  ];
  yield [
    'with empty chunks',
    (bytes) => [
      new Uint8Array(),
      bytes.subarray(0, bytes.length >> 1),
      new Uint8Array(),
      bytes.subarray(bytes.length >> 1),
    ],
  ];
  for (let seed = 1; seed <= randoms; seed += 1)
    yield [`random splits, seed ${seed}`, (bytes) => randomCut(bytes, seed)];
}

function randomCut(bytes: Uint8Array, seed: number): Uint8Array[] {
  const next = random(seed);
  const mean = [2, 7, 40, 300][seed % 4] ?? 40;
  const chunks: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = Math.floor(next() * 2 * mean);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks.length === 0 ? [bytes] : chunks;
}
