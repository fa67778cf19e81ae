// Law 10: outside the wasm nothing parses a body, runs a RegExp on it or knows a rule. Bodies pass through filters/door
// and filters/host only; the sidecar around them reads documents of ours.
import { describe, expect, test } from 'vitest';
import { sources } from './sources.ts';
import type { Source } from './sources.ts';

/** Through these folders the bytes of exchanges pass. */
const passages = ['filters/door/', 'filters/host/'];
/** Where JSON is read that is ours: the bundle's documents, the filter's own records, our files. */
const readers = [
  'filters/sidecar/access-log-entry.ts',
  'filters/sidecar/budgets/budget-journal.ts',
  'filters/sidecar/decision-record.ts',
  'filters/sidecar/deployment-settings.ts',
  'filters/sidecar/envoy-document.ts',
  'filters/sidecar/state-folder.ts',
];

const dataPlane = sources().filter(({ path }) => /^filters\/(door|host|sidecar)\//.test(path));
const code = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');

interface Law {
  readonly name: string;
  readonly holdsFor: (source: Pick<Source, 'path'>) => boolean;
  readonly breach: RegExp;
  /** Code that breaks it, so that the test is known to see. */
  readonly example: string;
}

const isPassage = ({ path }: Pick<Source, 'path'>): boolean => passages.some((folder) => path.startsWith(folder));

const laws: readonly Law[] = [
  {
    name: 'no JSON is parsed but our own',
    holdsFor: ({ path }) => !readers.includes(path),
    breach: /JSON\s*\.\s*parse|\.json\(\)/,
    example: 'const body = JSON.parse(text);',
  },
  {
    name: 'no pattern is run where bytes of exchanges pass',
    holdsFor: isPassage,
    breach: /new RegExp|\bRegExp\(|\.(test|exec|match|matchAll|search)\(|\.(replace|replaceAll|split)\(\s*\//,
    example: 'if (/card/.test(body)) {}',
  },
  {
    name: 'no body becomes text where bytes of exchanges pass',
    holdsFor: isPassage,
    breach: /\bbody\b[^;\n]*\.toString\(|decode\([^)]*\bbody\b/,
    example: 'const text = request.body.toString();',
  },
  {
    name: 'no plan, rule, detector or protocol is known',
    holdsFor: () => true,
    breach: /from '[^']*(compiler\/(?!bundle\/)|filters\/(detectors|protocols)|\/(detectors|protocols)\/)[^']*'/,
    example: "import type { Rule } from '../../compiler/plan/plan.ts';",
  },
];

test('there is a data plane to look at', () => {
  expect(dataPlane.filter(isPassage).length).toBeGreaterThan(10);
  expect(readers.filter((path) => !dataPlane.some((source) => source.path === path))).toEqual([]);
});

describe.each(laws)('$name', ({ holdsFor, breach, example }) => {
  test('in the data plane', () => {
    expect(
      dataPlane.filter(holdsFor).flatMap(({ path, text }) =>
        code(text)
          .split('\n')
          .filter((line) => breach.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      ),
    ).toEqual([]);
  });

  test('and a breach is seen', () => {
    expect(breach.test(example)).toBe(true);
  });
});
