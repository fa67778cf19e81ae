/** A page of the book, before it is drawn: where it stands, what it is called, what it says in Markdown. */
export interface Page {
  /** Without an ending, from the book's root: `reference/rule`. Links between pages are written so, from the root. */
  readonly path: string;
  readonly title: string;
  /** The part of the book, as the contents name it. */
  readonly part: Part;
  /** A heading within the part; empty where it has none. */
  readonly group: string;
  readonly markdown: string;
}

export type Part = (typeof PARTS)[number];
export const PARTS = ['Start', 'Guides', 'Cookbook', 'Reference', 'Diagnostics'] as const;

/**
 * The info string of a code block says what becomes of it. `writ`: stands beside the policy of the examples, and checks.
 * `writ alone`: is a whole policy, and checks. `writ part`: is shown as it stands somewhere else, which a test of its own
 * holds. `writ E0202`: gets this diagnostic.
 */
export const WRIT_BLOCK = /^```writ(?: (alone|part|[EW]\d{4}))?\n([^]*?)^```$/gm;

/** A link to another page, by its path. */
export function linkTo(path: string, text: string): string {
  return `[${text}](/${path})`;
}

export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `keepNewest` → `keep-newest`: a page's name in its address. */
export function slug(text: string): string {
  return text
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
