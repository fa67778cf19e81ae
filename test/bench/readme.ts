// The numbers in the README, made from results.json: everything between the two markers is ours.
import { resultTables, type Table } from './result-tables.ts';
import type { Results } from './results.ts';

export const BEGIN = '<!-- numbers: written by `npm run bench -- --write-readme` from test/bench/results.json -->';
export const END = '<!-- end of numbers -->';

/** Throws where the markers are not there, once and in order. */
export function withNumbers(readme: string, results: Results): string {
  const [before, rest, ...more] = readme.split(BEGIN);
  const [, after, ...others] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined || more.length > 0 || others.length > 0)
    throw new Error('the README has no place for the numbers: two markers, each once');
  return `${before}${BEGIN}\n\n${numbers(results)}\n\n${END}${after}`;
}

function numbers(results: Results): string {
  const { machine, missing } = results;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured by \`${results.command}\` at ${results.commit} on ${results.date.slice(0, 10)}: ${machine.processors}, ` +
      `${machine.memoryGigabytes} GB, ${machine.system}; ${versions.join(', ')}. Medians of ${results.rounds} rounds ` +
      'that take turns; load generator, upstream, sidecar and Envoy (one worker) share the processors.',
    '![Throughput through Envoy, as a share of bare Envoy’s](test/bench/results.svg)',
    ...resultTables(results).map(markdown),
    ...(missing.length === 0
      ? []
      : [`Not measured: ${missing.map(({ name, reason }) => `${name} (${firstLine(reason)})`).join('; ')}.`]),
  ].join('\n\n');
}

/** The caption takes the place of the corner. */
function markdown({ caption, head: [, ...columns], rows }: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line([caption, ...columns]), line(['---', ...columns.map(() => '---:')]), ...rows.map(line)].join('\n');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
