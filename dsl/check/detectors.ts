/** The policy's own detectors and groups of detectors. */
import { type Diagnostic, diagnostic, help, label, replaceWith } from '../diagnostic.ts';
import { parsePattern, patternMatches, type PatternError } from '../pattern.ts';
import type { Detector, DetectorGroup, DetectorSource, Near } from '../program.ts';
import type { DetectorMatch, NearNode } from '../syntax-tree.ts';
import { byName, type Context, type DeclarationOf, noteUnenforced, report, resolve } from './context.ts';
import { unknownDetector } from './detector-names.ts';
import { checkCount } from './values.ts';

export const NEAR_WORDS_MAX = 32;
export const NEAR_WORD_CHARACTERS_MAX = 64;
export const NEAR_CHARACTERS_MAX = 256;

export function checkDetectors(context: Context): Detector[] {
  return byName(
    [...context.named.detector.values()].flatMap((node) => {
      context.typed.detectors.set(node.name.text, [node.name.text]);
      const matches = checkMatch(context, node.match, node.name.text);
      const near = node.near === null ? null : checkNear(context, node.near);
      if (matches?.kind === 'pattern') checkExamples(context, node, matches);
      if (matches === null || (node.near !== null && near === null)) return [];
      return [
        {
          name: node.name.text,
          title: node.title?.value ?? null,
          matches,
          near,
          examples: node.examples.map((example) => example.value),
          span: node.span,
        },
      ];
    }),
  );
}

const PATTERN_CODES: { readonly [K in PatternError['reason']]: Diagnostic['code'] } = {
  syntax: 'E0513',
  unbounded: 'E0514',
  tooLong: 'E0514',
  empty: 'E0515',
};

function checkMatch(context: Context, match: DetectorMatch, name: string): DetectorSource | null {
  const { span } = match;
  switch (match.kind) {
    case 'matchesPattern': {
      const { source } = match.pattern;
      const result = parsePattern(source);
      if ('pattern' in result)
        return { kind: 'pattern', source, pattern: result.pattern, ignoreCase: match.ignoringCase, span };
      const { error } = result;
      const start = match.pattern.span.start + 1;
      const place = {
        ...match.pattern.span,
        start: start + error.start,
        end: start + Math.max(error.end, error.start + 1),
      };
      report(
        context,
        diagnostic(PATTERN_CODES[error.reason], place, error.message, {
          help: [error.fix === null ? null : replaceWith(place, error.fix)],
        }),
      );
      return null;
    }
    case 'matchesList': {
      const list = resolve(context, 'list', match.list);
      if (list === null) return null;
      if (context.typed.lists.get(match.list.text)?.kind !== 'text') {
        report(
          context,
          diagnostic('E0316', match.list.span, `\`${match.list.text}\` is not a list of text`, {
            labels: [label(list.name.span, 'declared here')],
          }),
        );
      }
      noteUnenforced(context, 'listDetector', name, null, span);
      return { kind: 'list', list: match.list.text, span };
    }
  }
}

function checkNear(context: Context, node: NearNode): Near | null {
  const characters = checkCount(context, node.characters, 1, NEAR_CHARACTERS_MAX, 'the distance');
  if (node.words.length > NEAR_WORDS_MAX)
    report(context, diagnostic('E0516', node.span, `\`near\` takes at most ${NEAR_WORDS_MAX} words`));
  for (const word of node.words) {
    if (word.value.trim() === '' || [...word.value].length > NEAR_WORD_CHARACTERS_MAX) {
      report(
        context,
        diagnostic('E0516', word.span, `a word of \`near\` has 1 to ${NEAR_WORD_CHARACTERS_MAX} characters`),
      );
    }
  }
  if (characters !== null && node.words.every((word) => [...word.value].length > characters)) {
    report(
      context,
      diagnostic('E0516', node.characters.span, `no word of this \`near\` fits into ${characters} characters`, {
        help: [help('the distance holds the word itself')],
      }),
    );
  }
  return characters === null
    ? null
    : { words: node.words.map((word) => word.value), characters, side: node.side, span: node.span };
}

function checkExamples(
  context: Context,
  node: DeclarationOf<'detector'>,
  matches: Extract<DetectorSource, { kind: 'pattern' }>,
): void {
  for (const example of node.examples) {
    if (patternMatches(matches.pattern, example.value, matches.ignoreCase)) continue;
    report(
      context,
      diagnostic('E0517', example.span, `the pattern does not match "${example.value}"`, {
        labels: [label(matches.span, 'this is the pattern')],
        help: [help('an example is one whole match')],
      }),
    );
  }
}

/** Groups may hold groups; each becomes the sorted list of its detectors. */
export function checkDetectorGroups(context: Context): DetectorGroup[] {
  const state = new Map<string, 'open' | 'done'>();
  const expand = (node: DeclarationOf<'detectors'>): readonly string[] => {
    const name = node.name.text;
    state.set(name, 'open');
    const found = new Set<string>();
    for (const member of node.members) {
      context.used.add(`detector ${member.text}`).add(`detectors ${member.text}`);
      const group = context.named.detectors.get(member.text);
      if (group !== undefined && state.get(member.text) === 'open') {
        report(
          context,
          diagnostic('E0206', member.span, `the group \`${member.text}\` contains itself`, {
            labels: [label(group.name.span, 'declared here')],
          }),
        );
        continue;
      }
      const known = context.builtInDetectors.has(member.text)
        ? [member.text]
        : group !== undefined && !state.has(member.text)
          ? expand(group)
          : context.typed.detectors.get(member.text);
      if (known !== undefined) for (const each of known) found.add(each);
      else if (
        !context.brokenNames.has(`detector ${member.text}`) &&
        !context.brokenNames.has(`detectors ${member.text}`)
      ) {
        report(context, unknownDetector(context, member));
      }
    }
    state.set(name, 'done');
    const sorted = [...found].sort();
    context.typed.detectors.set(name, sorted);
    return sorted;
  };
  for (const node of context.named.detectors.values()) if (!state.has(node.name.text)) expand(node);
  return byName(
    [...context.named.detectors.values()].map((node) => ({
      name: node.name.text,
      detectors: context.typed.detectors.get(node.name.text) ?? [],
      span: node.span,
    })),
  );
}
