/** Writes the book as a folder of plain HTML, which any web server may serve, and any browser opens from disk. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '../page.ts';
import { layOut, plain } from './layout.ts';
import { renderMarkdown } from './render-markdown.ts';

/** Of a page's text in the index of the search. */
const INDEXED_CHARACTERS_MAX = 4_000;

export function writeSite(pages: readonly Page[], folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const index = pages.map((page) => {
    const rendered = renderMarkdown(page.markdown, page.path);
    const file = join(folder, `${page.path}.html`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, layOut(page, rendered, pages));
    return {
      path: page.path,
      title: plain(page.title),
      part: page.part,
      headings: rendered.headings.map(({ text }) => text).join(' '),
      text: page.markdown.replaceAll(/\s+/g, ' ').slice(0, INDEXED_CHARACTERS_MAX),
    };
  });
  writeFileSync(join(folder, 'search-index.js'), `globalThis.BOOK_INDEX = ${JSON.stringify(index)};\n`);
  for (const asset of ['style.css', 'search.js'])
    copyFileSync(fileURLToPath(new URL(asset, import.meta.url)), join(folder, asset));
}
