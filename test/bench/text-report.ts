// The results for a terminal.
import { textTable } from '../../cli/text-table.ts';
import { resultTables } from './result-tables.ts';
import type { Results } from './results.ts';

export function textReport(results: Results): string {
  const tables = resultTables(results).map(({ caption, head, rows }) => `${caption}\n\n${textTable(head, rows)}`);
  const missing = results.missing.map(({ name, reason }) => `not measured: ${name}: ${reason}\n`);
  const hint = results.isQuick ? ['a quick run: nothing here is a figure to quote\n'] : [];
  return [...tables, [...missing, ...hint].join('')].filter((part) => part !== '').join('\n');
}
