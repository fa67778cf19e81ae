// The site as a reader has it: opened from a folder on disk, in the real Chromium. Every page loads without a word in the
// console, no link or anchor is dead, the search finds, and a phone need not scroll sideways.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bookPages } from '../../examples/book/pages.ts';
import { renderMarkdown } from '../../examples/book/site/render-markdown.ts';
import { writeSite } from '../../examples/book/site/write-site.ts';
import { install } from '../../examples/parts/chromium.ts';

const PAGES = bookPages();
const folder = mkdtempSync(join(tmpdir(), 'writ-book-'));
const fileOf = (path: string): string => join(folder, `${path}.html`);
const addressOf = (path: string): string => pathToFileURL(fileOf(path)).href;

/** Run in the browser. */
const LOOK = `({
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  titles: document.querySelectorAll('h1').length,
})`;

let browser: Browser;
beforeAll(async () => {
  writeSite(PAGES, folder);
  const { binary, env } = await install();
  browser = await chromium.launch({
    executablePath: binary,
    env: { ...process.env, ...env },
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-sync', '--disable-gpu'],
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

async function withTab<T>(options: { width: number; dark: boolean }, use: (tab: Tab) => Promise<T>): Promise<T> {
  const tab = await browser.newPage({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.dark ? 'dark' : 'light',
  });
  try {
    return await use(tab);
  } finally {
    await tab.close();
  }
}

test(
  'every page loads without a word in the console, has one title, and fits a phone',
  { timeout: 120_000 },
  async () => {
    await withTab({ width: 390, dark: false }, async (tab) => {
      const said: string[] = [];
      tab.on('console', (message) => said.push(`${tab.url()}: ${message.text()}`));
      tab.on('pageerror', (error) => said.push(`${tab.url()}: ${error.message}`));
      tab.on('requestfailed', (request) => said.push(`${tab.url()}: ${request.url()} is not there`));
      for (const { path } of PAGES) {
        await tab.goto(addressOf(path));
        const seen = await tab.evaluate<{ wide: boolean; titles: number }>(LOOK);
        expect({ path, ...seen }).toEqual({ path, wide: false, titles: 1 });
      }
      expect(said).toEqual([]);
    });
  },
);

describe('links', () => {
  /** Of all pages, the file and the anchor that a link leads to; the outside is not followed. */
  const links = (html: string): string[] =>
    [...html.matchAll(/<(?:a|link|script)\b[^>]*?(?:href|src)="([^"]*)"/g)].map((each) => each[1]!);
  const dead = (from: string, html: string): string[] =>
    links(html).filter((href) => {
      if (/^(https?|data):/.test(href)) return false;
      const [file, anchor] = href.split('#');
      const target = file === '' ? from : resolve(dirname(from), file!);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !readFileSync(target, 'utf8').includes(`id="${anchor}"`);
    });

  test('none is dead, on any page', () => {
    const found = PAGES.flatMap(({ path }) =>
      dead(fileOf(path), readFileSync(fileOf(path), 'utf8')).map((href) => `${path}: ${href}`),
    );
    expect(found).toEqual([]);
  });

  test('a dead one is seen', () => {
    const from = fileOf('guides/tutorial');
    expect(dead(from, '<a href="../guides/nowhere.html">x</a>')).toEqual(['../guides/nowhere.html']);
    expect(dead(from, '<a href="../index.html#nowhere">x</a>')).toEqual(['../index.html#nowhere']);
    expect(dead(from, '<a href="#page">x</a>')).toEqual([]);
  });

  test('nothing is loaded from elsewhere', () => {
    for (const { path } of PAGES) expect(readFileSync(fileOf(path), 'utf8')).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

describe('the search', () => {
  const search = (words: string): Promise<string[]> =>
    withTab({ width: 1200, dark: false }, async (tab) => {
      await tab.goto(addressOf('reference/rule'));
      await tab.fill('#search', words);
      return tab.locator('#found a').evaluateAll((found) => found.map((each) => each.getAttribute('href') ?? ''));
    });

  test.each([
    ['budget', '../reference/budget.html'],
    ['E0209', '../diagnostics/E0209.html'],
    ['legal hold', '../cookbook/legal-hold.html'],
    ['keep newest', '../reference/effect-keep-newest.html'],
  ])('%s', async (words, first) => expect((await search(words))[0]).toBe(first));

  test('finds nothing where there is nothing', async () => expect(await search('zzzz')).toEqual([]));

  test('is used by the keyboard alone', async () => {
    await withTab({ width: 1200, dark: false }, async (tab) => {
      await tab.goto(addressOf('index'));
      await tab.keyboard.press('/');
      await tab.keyboard.type('waiver');
      await tab.keyboard.press('ArrowDown');
      await tab.keyboard.press('Enter');
      await tab.waitForURL(addressOf('reference/waiver'));
    });
  });
});

describe('what is seen', () => {
  const light = (colour: string): number => {
    const parts = (/\d+,? \d+,? \d+/.exec(colour)?.[0] ?? '').split(/,? /).map((each) => Number(each) / 255);
    const [red = 0, green = 0, blue = 0] = parts.map((each) =>
      each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  /** As WCAG 2.2 counts it. */
  const contrast = (ink: string, ground: string): number => {
    const [dark = 0, bright = 0] = [light(ink), light(ground)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  test.each([false, true])('ink and ground are far enough apart; dark: %s', async (dark) => {
    await withTab({ width: 1200, dark }, async (tab) => {
      await tab.goto(addressOf('reference/rule'));
      const styleOf = (selector: string, property: string): Promise<string> =>
        tab.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);
      const page = await styleOf('body', 'backgroundColor');
      expect(light(page) < 0.2).toBe(dark);
      for (const ink of ['body', 'article a', 'nav li a', '.group'])
        expect(contrast(await styleOf(ink, 'color'), page), ink).toBeGreaterThanOrEqual(4.5);
      const code = await styleOf('pre', 'backgroundColor');
      for (const ink of ['pre .declaration', 'pre .clause', 'pre .text'])
        expect(contrast(await styleOf(ink, 'color'), code), ink).toBeGreaterThanOrEqual(4.5);
    });
  });

  test('code shows its words in colour, and all of its text', () => {
    const code = 'rule r "a < b"\n  on prompt\n  where text contains iban // why\n  deny\n';
    const { html } = renderMarkdown(`\`\`\`writ\n${code}\`\`\`\n`, 'index');
    expect(html).toContain('<span class="declaration">rule</span>');
    expect(html).toContain('<span class="text">&quot;a &lt; b&quot;</span>');
    expect(html).toContain('<span class="comment">// why</span>');
    const text = html
      .replaceAll(/<[^>]+>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
      .replaceAll('&gt;', '>');
    expect(text.trim()).toBe(code.trim());
  });
});
