// The results as tables, one a part: the README and the terminal show the same.
import type { DecideRow, EnvoyRow, Results, ScanRow, SizeRow } from './results.ts';
import type { Spread } from './statistics.ts';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Each as long as the head; the first cell names the row. */
  readonly rows: readonly (readonly string[])[];
}

const NOT_MEASURED = '–';

export function resultTables({ sections }: Results): readonly Table[] {
  const { envoy = [], decide = [], scan = [], sizes = [] } = sections;
  return [
    envoyTable(envoy),
    latencyTable(envoy),
    firstTable(envoy),
    decideTable(decide),
    scanTable(scan),
    sizesTable(sizes),
  ].filter((table) => table.rows.length > 0);
}

/** Every load has a column. */
function envoyTable(rows: readonly EnvoyRow[]): Table {
  return matrix('throughput, of bare Envoy’s', 'target', rows, loadName, ({ share, perSecond, target }) =>
    target === 'bare' ? `1 (${whole(perSecond.median)}/s)` : digits(share.median),
  );
}

function latencyTable(rows: readonly EnvoyRow[]): Table {
  return matrix(
    'p50 / p99 in ms',
    'target',
    rows,
    loadName,
    ({ p50, p99 }) => `${digits(p50.median)} / ${digits(p99.median)}`,
  );
}

/** Of the small request, one at a time: what a stream's reader waits for. */
function firstTable(rows: readonly EnvoyRow[]): Table {
  const streams = rows.filter(({ streamed, concurrency }) => streamed && concurrency === 1);
  const small = Math.min(...streams.map(({ bodyBytes }) => bodyBytes));
  const shown = streams.filter(({ bodyBytes }) => bodyBytes === small);
  const bare = shown.find(({ target }) => target === 'bare')?.first.median ?? NaN;
  return {
    caption: 'first token of a stream, in ms',
    head: ['target', 'after', 'later than bare Envoy'],
    rows: shown
      .filter(({ target }) => target !== 'direct')
      .map(({ name, target, first: { median } }) => [
        name,
        digits(median),
        target === 'bare' ? NOT_MEASURED : digits(Math.max(0, median - bare)),
      ]),
  };
}

function decideTable(rows: readonly DecideRow[]): Table {
  return matrix(
    'one decision, in µs (times ours)',
    'way',
    rows,
    ({ question }) => question,
    ({ microseconds, times }) =>
      times.median === 1 ? digits(microseconds.median) : `${digits(microseconds.median)} (${digits(times.median)} ×)`,
  );
}

function scanTable(rows: readonly ScanRow[]): Table {
  return matrix(
    'text searched, in MB/s',
    'way',
    rows,
    ({ text }) => text,
    ({ megabytesPerSecond }) => digits(megabytesPerSecond.median),
  );
}

function sizesTable(rows: readonly SizeRow[]): Table {
  return {
    caption: 'sizes and times',
    head: ['what', 'measured'],
    rows: rows.map(({ name, unit, value }) => [name, `${withRange(value)} ${unit}`]),
  };
}

export function loadName({ bodyBytes, streamed, concurrency }: EnvoyRow): string {
  return `${bodyBytes / 1_000} KB${streamed ? ' SSE' : ''} × ${concurrency}`;
}

/** A row for each name and a column for each kind of measurement, both in the order in which they come. */
function matrix<R extends { readonly name: string }>(
  caption: string,
  corner: string,
  rows: readonly R[],
  columnOf: (row: R) => string,
  cellOf: (row: R) => string,
): Table {
  const columns = [...new Set(rows.map(columnOf))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const cell = (name: string, column: string): string => {
    const row = rows.find((each) => each.name === name && columnOf(each) === column);
    return row === undefined ? NOT_MEASURED : cellOf(row);
  };
  return {
    caption,
    head: [corner, ...columns],
    rows: names.map((name) => [name, ...columns.map((column) => cell(name, column))]),
  };
}

function withRange({ median, low, high }: Spread): string {
  return low === high ? digits(median) : `${digits(median)} (${digits(low)}–${digits(high)})`;
}

/** Two significant digits, three from 1 on, whole from 100 on: more is noise. */
export function digits(value: number): string {
  if (value >= 100) return whole(value);
  return value === 0 ? '0' : String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
