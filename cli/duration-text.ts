/** Durations as options take and text shows them: `90s`, `30m`, `2h`, `7d`. */
import { CommandError } from './command.ts';

const UNITS: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. Throws CommandError. */
export function durationFrom(text: string, option: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const milliseconds = Number(count) * (UNITS[unit] ?? 0);
  if (milliseconds > 0) return milliseconds;
  throw new CommandError(
    `\`${option} ${text}\` is no duration`,
    `write it as \`${option} 90s\`, \`30m\`, \`2h\` or \`7d\``,
  );
}

/** In the largest unit of which there are two or more. */
export function durationText(milliseconds: number): string {
  const [unit = 's', size = 1_000] =
    Object.entries(UNITS)
      .reverse()
      .find(([, each]) => milliseconds >= 2 * each) ?? [];
  return `${Math.round(milliseconds / size)} ${{ s: 's', m: 'min', h: 'h', d: 'days' }[unit] ?? unit}`;
}
