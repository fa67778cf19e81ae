/** An explanation as the terminal shows it, and the list of all codes. */
import { DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { CODES, type Explanation } from './explain-code.ts';

const COLUMNS = 88;

export function explanationText({ code, severity, title, why, wrong, answer, right }: Explanation): string {
  const parts = [
    `${severity}[${code}]: ${title}`,
    wrapped(why),
    `This gets it:\n\n${indented(wrong)}`,
    `The answer:\n\n${indented(answer)}`,
    right === null
      ? wrapped(`To mend it, take the form out, or wait for a version of \`writ\` that enforces it.`)
      : `Mended:\n\n${indented(right)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

export function codesText(): string {
  const rows = CODES.map((code) => `  ${code}  ${DIAGNOSTICS[code].title}`);
  return `${rows.join('\n')}\n\n\`writ check --explain CODE\` says more of one.\n`;
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n');
}

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
