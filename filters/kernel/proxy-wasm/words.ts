/** Literals for Envoy's calls, which take bytes: one at a time, good until the next. */
const WORD_BYTES: u32 = 128;
const word: usize = memory.data(128, 8);

/** Address of an ASCII literal's bytes; it has as many as the literal has letters. */
export function wordOf(text: string): usize {
  const length = <u32>text.length;
  if (length > WORD_BYTES) return word;
  for (let i: u32 = 0; i < length; i += 1) store<u8>(word + i, <u8>load<u16>(changetype<usize>(text) + (i << 1)));
  return word;
}
