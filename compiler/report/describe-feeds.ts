/** Lists and switches in words: by what feed, how old at most, by whom. */
import type { Plan } from '../plan/plan.ts';
import { grouped } from './describe.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

export function describeFeeds({ lists, switches }: Plan): { readonly name: string; readonly what: string }[] {
  return [
    ...lists.map(({ name, element, feed, maxAgeMs, most }) => ({
      name: `list ${name}`,
      what: `${element} from ${JSON.stringify(feed)}, at most ${grouped(String(most))} entries; it has failed once it was signed more than ${durationOf(maxAgeMs)} ago`,
    })),
    ...switches.map(({ name, title, by, maxMs }) => ({
      name: `switch ${name}`,
      what: `${title}, by ${by}; ${maxMs === null ? 'on until it is switched off' : `on for ${durationOf(maxMs)} at most`}`,
    })),
  ];
}

/** In the largest unit that is exact: `90 minutes`. */
function durationOf(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => milliseconds % each === 0) ?? (['millisecond', 1] as const);
  const count = milliseconds / size;
  return `${grouped(String(count))} ${unit}${count === 1 ? '' : 's'}`;
}
