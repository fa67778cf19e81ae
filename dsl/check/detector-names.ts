/** A detector's or group's name → the detectors it stands for. */
import { diagnostic, didYouMeanHelp, help } from '../diagnostic.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Name } from '../syntax-tree.ts';
import { type Context, listNames, report } from './context.ts';

/** Sorted. They count as used. Null, and reported, if there is no such name. */
export function resolveDetectors(context: Context, name: Name): readonly string[] | null {
  context.used.add(`detector ${name.text}`).add(`detectors ${name.text}`);
  const found = context.builtInDetectors.has(name.text) ? [name.text] : context.typed.detectors.get(name.text);
  if (found !== undefined) {
    for (const each of found) context.usedDetectors.add(each);
    return found;
  }
  if (context.brokenNames.has(`detector ${name.text}`) || context.brokenNames.has(`detectors ${name.text}`))
    return null;
  if (context.named.detector.has(name.text) || context.named.detectors.has(name.text)) return null;
  report(context, unknownDetector(context, name));
  return null;
}

export function unknownDetector(context: Context, name: Name): ReturnType<typeof diagnostic> {
  const names = [
    ...context.named.detectors.keys(),
    ...context.named.detector.keys(),
    ...context.builtInDetectors.keys(),
  ];
  const meant = didYouMean(name.text, names);
  return diagnostic('E0201', name.span, `there is no detector named \`${name.text}\``, {
    help: [
      meant === null
        ? help(`there is ${listNames(names)}; words to look for stand in quotes`)
        : didYouMeanHelp(name.span, meant),
    ],
  });
}
