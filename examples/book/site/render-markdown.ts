/** Markdown to HTML: headings get anchors, links between pages become relative, tables may scroll, code is coloured. */
import { Marked } from 'marked';
import { slug } from '../page.ts';
import { escapeHtml, highlightWrit } from './highlight.ts';

export interface Rendered {
  readonly html: string;
  readonly headings: readonly { readonly id: string; readonly text: string }[];
}

/** `from` is the path of the page on which the links stand. */
export function renderMarkdown(markdown: string, from: string): Rendered {
  const headings: { id: string; text: string }[] = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = uniqueId(slug(text), headings);
        headings.push({ id, text });
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        return `<a href="${escapeHtml(href.startsWith('/') ? relativeHref(from, href.slice(1)) : href)}">${inner}</a>`;
      },
      code({ text, lang }) {
        const kind = (lang ?? '').split(' ')[0] ?? '';
        const inner = kind === 'writ' ? highlightWrit(text) : escapeHtml(text);
        const label = LABELS[kind] ?? '';
        // It may scroll sideways, and whoever uses the keyboard scrolls it by focusing it.
        return `<figure class="code">${label === '' ? '' : `<figcaption>${label}</figcaption>`}<pre tabindex="0"><code class="language-${escapeHtml(kind)}">${inner}\n</code></pre></figure>\n`;
      },
    },
    hooks: {
      postprocess: (html) =>
        html.replaceAll('<table>', '<div class="table" tabindex="0"><table>').replaceAll('</table>', '</table></div>'),
    },
  });
  return { html: marked.parse(markdown, { async: false }), headings };
}

const LABELS: { readonly [language: string]: string } = { console: 'terminal', sh: 'terminal', form: 'form' };

/** From one page to another, as a browser reads it from a folder on disk too. */
export function relativeHref(from: string, to: string): string {
  const [path = '', anchor] = to.split('#');
  const up = '../'.repeat(from.split('/').length - 1);
  return `${up}${path}.html${anchor === undefined ? '' : `#${anchor}`}`;
}

function uniqueId(wanted: string, taken: readonly { readonly id: string }[]): string {
  const base = wanted === '' ? 'section' : wanted;
  let id = base;
  for (let number = 2; taken.some((each) => each.id === id); number++) id = `${base}-${number}`;
  return id;
}
