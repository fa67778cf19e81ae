/** Every page of the book, in the order in which it is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COOKBOOK, readCookbook } from './cookbook.ts';
import { diagnosticPages } from './diagnostics-pages.ts';
import type { Page, Part } from './page.ts';
import { referencePages } from './reference/pages.ts';

export function bookPages(): readonly Page[] {
  return [
    chapter('index', 'index', 'Start'),
    chapter('tutorial', 'guides/tutorial', 'Guides'),
    chapter('officers', 'guides/officers', 'Guides'),
    chapter('reviewers', 'guides/reviewers', 'Guides'),
    chapter('platform', 'guides/platform', 'Guides'),
    ...cookbookPages(),
    ...referencePages(),
    ...diagnosticPages(),
  ].map((page) => ({ ...page, markdown: withTitle(page) }));
}

function chapter(file: string, path: string, part: Part): Page {
  const markdown = readFileSync(new URL(`chapters/${file}.md`, import.meta.url), 'utf8');
  return { path, title: titleOf(markdown), part, group: '', markdown };
}

function cookbookPages(): readonly Page[] {
  const own = readFileSync(join(COOKBOOK, 'README.md'), 'utf8');
  const recipes = readCookbook().map(({ name, title, page, policy, tests }): Page => ({
    path: `cookbook/${name}`,
    title,
    part: 'Cookbook',
    group: '',
    // The comments mark what is written from the policy's file.
    markdown: `${page.replaceAll(/<!--.*?-->\n/g, '').replaceAll('```writ\n', '```writ part\n')}
## The whole policy

\`\`\`writ part
${policy}\`\`\`

## Its tests

\`\`\`writ part
${tests}\`\`\`
`,
  }));
  const links = own.replaceAll(/\]\(([\w-]+)\/README\.md\)/g, '](/cookbook/$1)').replaceAll(/<!--.*?-->\n/g, '');
  return [
    { path: 'cookbook/index', title: 'Policies that companies need', part: 'Cookbook', group: '', markdown: links },
    ...recipes,
  ];
}

function titleOf(markdown: string): string {
  return /^# (.*)$/m.exec(markdown)?.[1] ?? '';
}

function withTitle({ title, markdown }: Page): string {
  return markdown.startsWith('# ') ? markdown : `# ${title}\n\n${markdown}`;
}
