/** A page for each diagnostic: the catalogue's words, its example, what is answered to it, and how it is mended. */
import { CODES, explain } from '../../cli/explain/explain-code.ts';
import { type DiagnosticCode, DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { exampleOf } from '../../dsl/explain/examples.ts';
import { linkTo, type Page, tableOf } from './page.ts';

/** By the first digits of the code. */
const FAMILIES: { readonly [beginning: string]: string } = {
  E01: 'The text itself',
  E02: 'Names',
  E03: 'Types, units, numbers',
  E04: 'Rules',
  E05: 'Other declarations',
  E06: 'Tests',
  E08: 'Found by the compiler',
  E09: 'Not in force yet',
  W: 'Warnings',
};

export function diagnosticPages(): readonly Page[] {
  return [overview(), ...CODES.map(diagnosticPage)];
}

function overview(): Page {
  const sections = Object.entries(FAMILIES).map(([beginning, name]) => {
    const rows = CODES.filter((code) => code.startsWith(beginning)).map((code) => [
      linkTo(`diagnostics/${code}`, code),
      DIAGNOSTICS[code].title,
    ]);
    return rows.length === 0 ? '' : `## ${name}\n\n${tableOf(['code', 'what'], rows)}\n`;
  });
  return {
    path: 'diagnostics/index',
    title: 'Every message and its meaning',
    part: 'Diagnostics',
    group: '',
    markdown: `Each mistake that \`writ check\` finds has a code. \`writ check --explain CODE\` prints the same page on the terminal. An error (E) stops \`build\`; a warning (W) does not.\n\n${sections.filter((each) => each !== '').join('\n')}`,
  };
}

function diagnosticPage(code: DiagnosticCode): Page {
  const { title, why, severity, wrong, answer, right } = explain(code);
  const alone = exampleOf(code).alone === true;
  const beside = alone
    ? ''
    : `\nIt stands beside ${linkTo('reference/example-policy', 'the policy of the examples')}.\n`;
  const mended =
    right === null
      ? 'Take the form out, or wait for a version that enforces it.\n'
      : `\`\`\`writ${alone ? ' alone' : ''}\n${right}\`\`\`\n`;
  return {
    path: `diagnostics/${code}`,
    title: `${code}: ${title}`,
    part: 'Diagnostics',
    group: FAMILIES[code.slice(0, 3)] ?? FAMILIES['W'] ?? '',
    markdown: `*${severity === 'error' ? 'An error: the policy is not built.' : 'A warning: the policy is built all the same.'}*

${why}

## This gets it

\`\`\`writ ${code}
${wrong}\`\`\`
${beside}
## The answer

\`\`\`text
${answer}\`\`\`

## Mended

${mended}`,
  };
}
