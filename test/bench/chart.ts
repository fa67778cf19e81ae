// The throughput through Envoy as bars, in SVG: a bar for each size of body, as a share of bare Envoy's. It is read on
// light and dark pages alike.
import { digits } from './result-tables.ts';
import type { EnvoyRow, Results } from './results.ts';

const WIDTH = 900;
const LABEL_WIDTH = 380;
const VALUE_WIDTH = 60;
const BAR_HEIGHT = 14;
const BAR_GAP = 3;
const GROUP_GAP = 14;
const HEAD_HEIGHT = 64;
/** The load of the bars. */
const CONCURRENCY = 16;
const BAR_WIDTH_MAX = WIDTH - LABEL_WIDTH - VALUE_WIDTH;

export function chart({ sections }: Results): string {
  const rows = (sections.envoy ?? []).filter(
    ({ target, streamed, concurrency }) => target !== 'direct' && !streamed && concurrency === CONCURRENCY,
  );
  const sizes = [...new Set(rows.map(({ bodyBytes }) => bodyBytes))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const most = Math.max(1, ...rows.map(({ share }) => share.median));
  const groupHeight = sizes.length * (BAR_HEIGHT + BAR_GAP) + GROUP_GAP;
  const height = HEAD_HEIGHT + names.length * groupHeight;
  const groups = names.map((name, at) =>
    group(
      name,
      rows.filter((row) => row.name === name),
      sizes,
      HEAD_HEIGHT + at * groupHeight,
      most,
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    '<title>Throughput through Envoy, as a share of bare Envoy’s</title>',
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="18">Throughput through Envoy, ${CONCURRENCY} requests at once, as a share of bare Envoy’s</text>`,
    ...sizes.map((bytes, at) => legend(bytes, at)),
    ...groups,
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#1f2328}',
  '.title{font-weight:600;font-size:14px}',
  '.ours text{font-weight:600}',
  '.size0{fill:#0969da}.size1{fill:#8250df}',
  '.peer .size0{fill:#8c959f}.peer .size1{fill:#bcc3ca}',
  '.whole{stroke:#8c959f;stroke-dasharray:2 3}',
  '@media (prefers-color-scheme:dark){text{fill:#e6edf3}.size0{fill:#4493f8}.size1{fill:#ab7df8}',
  '.peer .size0{fill:#848d97}.peer .size1{fill:#545d68}}',
].join('');

function legend(bytes: number, at: number): string {
  const x = LABEL_WIDTH + at * 140;
  return (
    `<rect class="size${at}" x="${x}" y="${HEAD_HEIGHT - 32}" width="14" height="14" rx="2"/>` +
    `<text x="${x + 20}" y="${HEAD_HEIGHT - 20}">body of ${bytes / 1_000} KB</text>`
  );
}

function group(name: string, rows: readonly EnvoyRow[], sizes: readonly number[], top: number, most: number): string {
  const isOurs = rows.some(({ target }) => target.includes('door'));
  const middle = top + (sizes.length * (BAR_HEIGHT + BAR_GAP)) / 2;
  const bars = sizes.map((bytes, at) => {
    const share = rows.find(({ bodyBytes }) => bodyBytes === bytes)?.share.median;
    const y = top + at * (BAR_HEIGHT + BAR_GAP);
    if (share === undefined) return '';
    const width = Math.max(1, (share / most) * BAR_WIDTH_MAX).toFixed(1);
    return (
      `<rect class="size${at}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>` +
      `<text x="${LABEL_WIDTH + Number(width) + 6}" y="${y + BAR_HEIGHT - 3}">${digits(share)}</text>`
    );
  });
  return (
    `<g class="${isOurs ? 'ours' : 'peer'}">` +
    `<text x="${LABEL_WIDTH - 12}" y="${middle + 3}" text-anchor="end">${escape(name)}</text>${bars.join('')}</g>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
