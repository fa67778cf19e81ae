/** Limits of what is read of a store's requests and answers. Only `export const NAME = integer` stands here: tests read it, too. */

/** Documents of one write. Chroma itself takes 5,461. */
export const DOCUMENTS_MAX = 8_192;
/** Chunks of one answer, over all of its rows; the plan's collection of them has the same bound. */
export const CHUNKS_MAX = 4_096;
