/** Prints the demo for people: what starts, what happens, what was seen. Colour only where it is wanted. */
import type { Door } from '../../proto/door.ts';
import type { Claim } from './claim.ts';
import { doorText } from './door-text.ts';

export interface Tell {
  step(line: string): void;
  scene(number: number, scene: { readonly title: string; readonly story: string }): void;
  says(line: string): void;
  claim(ok: boolean, claim: string, evidence: string): void;
  /** `door`: how Envoy asked the policy; null for none. */
  table(claims: readonly Claim[], titles: readonly string[], door: Door | null): void;
}

const CLAIM_WIDTH_MAX = 62;
const EVIDENCE_WIDTH_MAX = 70;

export function tellTo(write: (text: string) => void, colour: boolean): Tell {
  const style =
    (code: number) =>
    (text: string): string =>
      colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  const [bold, dim, red, green] = [style(1), style(2), style(31), style(32)];
  const mark = (ok: boolean): string => (ok ? green('✓') : red('✗'));
  return {
    step: (line) => write(`${dim(line)}\n`),
    scene: (number, { title, story }) => write(`\n${bold(`${number}. ${title}`)}\n   ${story}\n`),
    says: (line) => write(`     ${line}\n`),
    claim: (ok, claim, evidence) => write(`   ${mark(ok)} ${claim}\n     ${dim(evidence)}\n`),
    table: (claims, titles, door) => {
      const rows = claims.map(
        ({ scene, claim, evidence }) =>
          [
            `${scene} ${titles[scene - 1] ?? ''}`,
            cut(claim, CLAIM_WIDTH_MAX),
            cut(evidence, EVIDENCE_WIDTH_MAX),
          ] as const,
      );
      const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
      const line = (cells: readonly string[], last: string): string =>
        `${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}  ${last}\n`;
      write(`\n${bold(`through the door ${doorText(door)}`)}\n`);
      write(`\n${bold(line(['scene', 'claim', 'evidence'], 'ok'))}`);
      rows.forEach((row, at) =>
        write(line([rows[at - 1]?.[0] === row[0] ? '' : row[0], row[1], row[2]], mark(claims[at]?.ok === true))),
      );
    },
  };
}

function cut(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
