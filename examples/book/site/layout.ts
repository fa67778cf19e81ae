/** One page as HTML: contents, the page itself, the way on. Works from a folder on disk, and without its script. */
import { PARTS, type Page, type Part } from '../page.ts';
import { escapeHtml } from './highlight.ts';
import { relativeHref, type Rendered } from './render-markdown.ts';

/** Where each part begins. */
const ENTRANCES: { readonly [K in Part]: string } = {
  Start: 'index',
  Guides: 'guides/tutorial',
  Cookbook: 'cookbook/index',
  Reference: 'reference/index',
  Diagnostics: 'diagnostics/index',
};

export function layOut(page: Page, { html }: Rendered, pages: readonly Page[]): string {
  const root = '../'.repeat(page.path.split('/').length - 1);
  const at = pages.indexOf(page);
  const way = [wayTo(page, pages[at - 1], 'prev', 'Before'), wayTo(page, pages[at + 1], 'next', 'Next')].join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(plain(page.path === 'index' ? page.title : `${page.title} · Writ`))}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}style.css">
</head>
<body data-root="${root}">
<a class="skip" href="#page">To the page</a>
<header>
<a class="home" href="${root}index.html">Writ</a>
<form role="search" class="search">
<label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false" placeholder="Search" aria-controls="found">
<ol id="found" hidden></ol>
<p id="found-count" class="unseen" role="status"></p>
</form>
</header>
<div class="columns">
<nav aria-label="Contents">
<details open>
<summary>Contents</summary>
${PARTS.map((part) => partOfContents(part, page, pages)).join('\n')}
</details>
</nav>
<main id="page" tabindex="-1">
<article>
${page.group === '' ? '' : `<p class="group">${escapeHtml(page.group)}</p>\n`}${html}</article>
<nav class="way" aria-label="Before and next">${way}</nav>
</main>
</div>
<script src="${root}search-index.js" defer></script>
<script src="${root}search.js" defer></script>
</body>
</html>
`;
}

/** The part of the page is shown with all its pages; the others with their entrance. */
function partOfContents(part: Part, page: Page, pages: readonly Page[]): string {
  const current = part === page.part;
  const head = `<p class="part">${linkFrom(page, ENTRANCES[part], part, page.path === ENTRANCES[part])}</p>`;
  if (!current) return head;
  const own = pages.filter((each) => each.part === part && each.path !== ENTRANCES[part]);
  const groups = [...new Set(own.map(({ group }) => group))];
  const lists = groups.map((group) => {
    const items = own
      .filter((each) => each.group === group)
      .map((each) => `<li>${linkFrom(page, each.path, each.title, each === page)}</li>`);
    return `${group === '' ? '' : `<p class="heading">${escapeHtml(group)}</p>`}<ul>${items.join('')}</ul>`;
  });
  return `${head}\n${lists.join('\n')}`;
}

function linkFrom(page: Page, path: string, text: string, current: boolean): string {
  return `<a href="${relativeHref(page.path, path)}"${current ? ' aria-current="page"' : ''}>${escapeHtml(plain(text))}</a>`;
}

function wayTo(page: Page, to: Page | undefined, rel: string, word: string): string {
  if (to === undefined) return '<span></span>';
  return `<a rel="${rel}" href="${relativeHref(page.path, to.path)}"><small>${word}</small>${escapeHtml(plain(to.title))}</a>`;
}

/** A title without the marks of code. */
export function plain(title: string): string {
  return title.replaceAll('`', '');
}
