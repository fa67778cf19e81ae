/** Limits of what is read of a store's requests. Only `export const NAME = integer` stands here: tests read it, too. */

/** Documents of one write. Chroma itself takes 5,461. */
export const DOCUMENTS_MAX = 8_192;
