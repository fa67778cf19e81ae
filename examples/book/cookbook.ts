/** The policies of the cookbook, as folders: what each says, its tests, and its page. Reads them; decides nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const COOKBOOK = fileURLToPath(new URL('../cookbook', import.meta.url));

export interface Recipe {
  /** The folder's name; the page's too. */
  readonly name: string;
  readonly folder: string;
  readonly title: string;
  /** Markdown. */
  readonly page: string;
  readonly policy: string;
  readonly tests: string;
}

export function readCookbook(): readonly Recipe[] {
  return readdirSync(COOKBOOK, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readRecipe(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readRecipe(name: string): Recipe {
  const folder = join(COOKBOOK, name);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const page = read('README.md');
  return {
    name,
    folder,
    title: /^# (.*)$/m.exec(page)?.[1] ?? name,
    page,
    policy: read('policy.writ'),
    tests: read('policy.test.writ'),
  };
}

/** Who and what there is stands first in every policy of the cookbook; what may happen begins with one of these. */
const WHAT_MAY_HAPPEN =
  /^(detectors?|term|hours|list|switch|recipient|reviewers|convert|classify|rule|route|budget|rate|waiver|guarantee) /m;

/** The part of a policy that its page shows. */
export function rulesOf(policy: string): string {
  const at = WHAT_MAY_HAPPEN.exec(policy)?.index ?? 0;
  return policy.slice(at).trimEnd();
}

/** The page with the rules as they stand in the file. */
export function withRules(page: string, policy: string): string {
  return page.replace(
    /(<!-- rules of policy\.writ -->\n)[^]*?(<!-- end -->)/,
    (_, begin: string, end: string) => `${begin}\n\`\`\`writ\n${rulesOf(policy)}\n\`\`\`\n\n${end}`,
  );
}

/** The cookbook's own page with the list of its policies: title, and the first sentence of what each is for. */
export function withList(page: string, recipes: readonly Recipe[]): string {
  const rows = recipes.map(({ name, title, page }) => `| [${title}](${name}/README.md) | ${firstSentence(page)} |`);
  return page.replace(
    /(<!-- list -->\n)[^]*?(<!-- end -->)/,
    (_, begin: string, end: string) => `${begin}\n| policy | in short |\n| --- | --- |\n${rows.join('\n')}\n\n${end}`,
  );
}

function firstSentence(page: string): string {
  const about = /^# .*\n\n([^]+?)\n\n/.exec(page)?.[1] ?? '';
  return (/^[^]+?[.](?= |$)/.exec(about.replaceAll('\n', ' '))?.[0] ?? about).trim();
}
