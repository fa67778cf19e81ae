// The habits of the sources that a machine can hold: size, names, no unfinished work, no way round the types, every
// TypeScript file in the type check.
import { execFileSync } from 'node:child_process';
import { basename, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, sources, type Source } from './sources.ts';

/** Of at most 120 characters each. */
const linesMax = 550;

interface Habit {
  readonly name: string;
  /** What breaks it in one source: one line each. */
  readonly breaches: (source: Source) => readonly string[];
  /** A source that breaks it, so that the test is known to see. */
  readonly breach: Pick<Source, 'path' | 'text'>;
}

const habits: readonly Habit[] = [
  {
    name: `a file has at most ${linesMax} lines`,
    breaches: ({ path, text }) => (text.trimEnd().split('\n').length > linesMax ? [path] : []),
    breach: { path: 'dsl/x.ts', text: 'x\n'.repeat(linesMax + 1) },
  },
  {
    name: 'a file is named in kebab-case, and not utils, helpers or common',
    breaches: ({ path }) =>
      /^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.bench|\.config|\.d)?\.(ts|mjs)$/.test(basename(path)) &&
      !/\b(utils?|helpers?|common)\b/.test(path)
        ? []
        : [path],
    breach: { path: 'dsl/parserUtils.ts', text: '' },
  },
  {
    name: 'a file begins with a comment that says what it is for',
    breaches: ({ path, text }) => (/^(#!.*\n)?\s*\/[/*]/.test(text) ? [] : [path]),
    breach: { path: 'dsl/x.ts', text: 'export const x = 1;\n' },
  },
  {
    name: 'no work is left unfinished',
    breaches: (source) => linesWith(source, unfinished),
    breach: { path: 'dsl/x.ts', text: ['// TO', 'DO: more'].join('') },
  },
  {
    name: 'no type is evaded',
    breaches: (source) => [
      ...linesWith(source, anyType),
      // In AssemblyScript it is how an editor is told of a decorator on a function.
      ...(isAssemblyScript(source.path) ? [] : linesWith(source, pragma)),
    ],
    breach: { path: 'dsl/x.ts', text: ['const x = y as', 'any;'].join(' ') },
  },
  {
    name: 'no test is left out or runs alone',
    breaches: (source) => linesWith(source, leftOut),
    breach: { path: 'test/x.test.ts', text: ['test.sk', "ip('x', () => {})"].join('') },
  },
];

/** Written in two parts, so that they do not match themselves. */
const unfinished = new RegExp(['\\b(TO', 'DO|FIX', 'ME|X', 'XX)\\b'].join(''));
const anyType = new RegExp(['\\bas a', 'ny\\b|:\\s*any\\s*([;,)\\]=|&>[{}]|$)|<a', 'ny>'].join(''));
const pragma = new RegExp(['@ts-(ig', 'nore|noc', 'heck|expect-er', 'ror)'].join(''));
const leftOut = new RegExp(['\\b(test|describe|it)\\.(sk', 'ip|on', 'ly|to', 'do)\\b'].join(''));

const all = sources();

describe.each(habits)('$name', ({ breaches, breach }) => {
  test('everywhere', () => {
    expect(all.flatMap(breaches)).toEqual([]);
  });

  test('and a breach is seen', () => {
    expect(breaches({ ...breach, imports: [] })).toHaveLength(1);
  });
});

test('every TypeScript file is type-checked, but for the AssemblyScript of the kernel', () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const listed = execFileSync(process.execPath, [tsc, '-p', root, '--listFilesOnly'], { encoding: 'utf8' });
  const checked = new Set(listed.split('\n').map((path) => relative(root, path).replaceAll('\\', '/')));
  const missing = all.filter(({ path }) => !checked.has(path) && !isAssemblyScript(path)).map(({ path }) => path);
  expect(missing).toEqual([]);
});

/** The kernel's own sources and the entries of its tests; its build script and its ABI are plain TypeScript too. */
function isAssemblyScript(path: string): boolean {
  if (/^test\/.*-entry\.ts$/.test(path)) return true;
  return path.startsWith('filters/kernel/') && path !== 'filters/kernel/build.ts' && path !== 'filters/kernel/abi.ts';
}

function linesWith({ path, text }: Source, pattern: RegExp): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}
