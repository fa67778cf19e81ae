/** SHA-256 (FIPS 180-4): of one short text (an API key, a certificate's name), or of what comes in pieces. */
/** Longer texts are no keys. */
export const HASHED_BYTES_MAX: u32 = 8_192;

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const W: usize = memory.data(256, 8);
const H: usize = memory.data(32, 8);

/** Bytes that wait for a whole block, and how many were hashed so far. One hash at a time. */
const partial: usize = memory.data(64, 8);
let hashed: u64 = 0;

export function beginHash(): void {
  memory.copy(H, START, 32);
  hashed = 0;
}

export function addToHash(p: usize, length: u32): void {
  const end = p + length;
  const held = <u32>(hashed & 63);
  hashed += length;
  if (held > 0) {
    const room: u32 = 64 - held;
    const fits = room < length ? room : length;
    memory.copy(partial + held, p, fits);
    p += fits;
    if (held + fits < 64) return;
    block(partial);
  }
  for (; p + 64 <= end; p += 64) block(p);
  memory.copy(partial, p, end - p);
}

/** Writes the 32 bytes of the hash to `to`. */
export function endHash(to: usize): void {
  const held = <u32>(hashed & 63);
  store<u8>(partial + held, 0x80);
  memory.fill(partial + held + 1, 0, 63 - held);
  if (held >= 56) {
    block(partial);
    memory.fill(partial, 0, 64);
  }
  store<u64>(partial + 56, bswap<u64>(hashed << 3));
  block(partial);
  for (let i: u32 = 0; i < 8; i += 1) store<u32>(to + (i << 2), bswap<u32>(load<u32>(H + (i << 2))));
  // What was hashed may be a secret.
  memory.fill(partial, 0, 64);
  memory.fill(W, 0, 256);
}

/** Keeps the state of a hash of whole blocks, 32 bytes, from which others go on. */
export function keepHash(to: usize): void {
  memory.copy(to, H, 32);
}

/** Goes on from a state that was kept after so many bytes. */
export function resumeHash(state: usize, bytes: u64): void {
  memory.copy(H, state, 32);
  hashed = bytes;
}

/** Writes the 32 bytes of the hash of [p, p + length) to `to`; false where the text is too long. */
export function sha256(p: usize, length: u32, to: usize): bool {
  if (length > HASHED_BYTES_MAX) return false;
  beginHash();
  addToHash(p, length);
  endHash(to);
  return true;
}

function block(p: usize): void {
  for (let i: u32 = 0; i < 16; i += 1) store<u32>(W + (i << 2), bswap<u32>(load<u32>(p + (i << 2))));
  for (let i: u32 = 16; i < 64; i += 1) {
    const x = load<u32>(W + ((i - 15) << 2));
    const y = load<u32>(W + ((i - 2) << 2));
    const s0 = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >>> 3);
    const s1 = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >>> 10);
    store<u32>(W + (i << 2), load<u32>(W + ((i - 16) << 2)) + s0 + load<u32>(W + ((i - 7) << 2)) + s1);
  }
  let a = load<u32>(H);
  let b = load<u32>(H, 4);
  let c = load<u32>(H, 8);
  let d = load<u32>(H, 12);
  let e = load<u32>(H, 16);
  let f = load<u32>(H, 20);
  let g = load<u32>(H, 24);
  let h = load<u32>(H, 28);
  for (let i: u32 = 0; i < 64; i += 1) {
    const t1 =
      h +
      (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) +
      ((e & f) ^ (~e & g)) +
      load<u32>(K + (i << 2)) +
      load<u32>(W + (i << 2));
    const t2 = (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  store<u32>(H, load<u32>(H) + a);
  store<u32>(H, load<u32>(H, 4) + b, 4);
  store<u32>(H, load<u32>(H, 8) + c, 8);
  store<u32>(H, load<u32>(H, 12) + d, 12);
  store<u32>(H, load<u32>(H, 16) + e, 16);
  store<u32>(H, load<u32>(H, 20) + f, 20);
  store<u32>(H, load<u32>(H, 24) + g, 24);
  store<u32>(H, load<u32>(H, 28) + h, 28);
}
