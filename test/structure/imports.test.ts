// Which folder may import which, as ARCHITECTURE.md draws it; which of them are pure; and that nothing imports itself
// by a way round.
import { describe, expect, test } from 'vitest';
import { importsOf, sources, type Source } from './sources.ts';

interface Layer {
  /** The files of the layer, by the beginning of their path. A file belongs to the longest match. */
  readonly path: string;
  /** What its files may import besides each other: beginnings of paths. */
  readonly mayImport: readonly string[];
  /** A pure layer uses nothing of Node's but `computing`: no disk, network, clock, environment. */
  readonly pure: boolean;
  /** What it may import from npm; anything when not given. */
  readonly packages?: readonly string[];
}

const computing: readonly string[] = ['node:crypto', 'node:zlib', 'node:buffer'];

/** What is not listed (cli, examples, test) may import everything. */
const layers: readonly Layer[] = [
  { path: 'dsl/', mayImport: [], pure: true, packages: ['chevrotain'] },
  // The language server and the editor extension: the one part of the language that does input and output.
  { path: 'dsl/editor/', mayImport: ['dsl/'], pure: false },
  // Detectors, protocols and the built kernel are arguments; only the shape of what is passed is imported.
  {
    path: 'compiler/',
    mayImport: ['dsl/', 'proto/', 'compiler/bundle/', 'filters/protocols/protocol.ts', 'filters/detectors/detector.ts'],
    pure: true,
    packages: ['@bufbuild/protobuf', 'ts-morph'],
  },
  // The part that the data plane and the control plane share: it knows nothing of the language.
  { path: 'compiler/bundle/', mayImport: ['proto/'], pure: true, packages: ['@bufbuild/protobuf'] },
  { path: 'filters/', mayImport: ['proto/', 'compiler/bundle/'], pure: false },
  { path: 'filters/kernel/', mayImport: [], pure: true, packages: [] },
  // Runs the AssemblyScript compiler.
  { path: 'filters/kernel/build.ts', mayImport: ['filters/kernel/'], pure: false },
  { path: 'filters/protocols/', mayImport: [], pure: true, packages: [] },
  { path: 'filters/detectors/', mayImport: [], pure: true, packages: [] },
  { path: 'control-plane/', mayImport: ['proto/', 'compiler/bundle/', 'dsl/time-zone.ts'], pure: false },
  { path: 'proto/', mayImport: [], pure: false },
];

const all = sources();

test('the rules are about files that are there', () => {
  expect(all.length).toBeGreaterThan(50);
  for (const { path } of layers.filter(({ path }) => !optionalLayers.includes(path))) {
    expect(
      all.some((source) => source.path.startsWith(path)),
      path,
    ).toBe(true);
  }
});

/** The editor comes with a later part of the language. */
const optionalLayers: readonly string[] = ['dsl/editor/'];

test('every relative import names a file', () => {
  const missing = all.flatMap(({ path, imports }) =>
    imports.flatMap((found) => (found.kind === 'missing' ? [`${path} imports ${found.specifier}`] : [])),
  );
  expect(missing).toEqual([]);
});

describe.each(layers)('$path', (layer) => {
  const files = all.filter(({ path }) => layerOf(path) === layer);

  test(`imports only itself and [${layer.mayImport.join(', ')}]`, () => {
    expect(files.flatMap((file) => forbiddenImports(layer, file))).toEqual([]);
  });

  test(layer.pure ? 'is pure' : 'may do input and output', () => {
    expect(layer.pure ? files.flatMap(impureImports) : []).toEqual([]);
  });

  test(`uses ${layer.packages === undefined ? 'any package' : `only the packages [${layer.packages.join(', ')}]`}`, () => {
    expect(files.flatMap((file) => forbiddenPackages(layer, file))).toEqual([]);
  });
});

test('no file imports itself by a way round', () => {
  expect(
    firstCycle(
      new Map(
        all.map(({ path, imports }) => [path, imports.flatMap((found) => (found.kind === 'own' ? [found.path] : []))]),
      ),
    ),
  ).toEqual([]);
});

describe('these tests see', () => {
  const example = (path: string, text: string): Source => ({ path, text, imports: importsOf(path, text) });
  const layer = (path: string): Layer => layers.find((candidate) => candidate.path === path)!;

  test.each([
    [`import { x } from 'TARGET';`],
    [`import type {\n  CacheEntry,\n} from "TARGET";`],
    [`export { x } from 'TARGET';`],
    [`import 'TARGET';`],
    [`const x = await import('TARGET');`],
  ])('%j', (text) => {
    const source = example('dsl/x.ts', text.replace('TARGET', '../examples/parts/cache.ts'));
    expect(forbiddenImports(layer('dsl/'), source)).toEqual(['dsl/x.ts imports examples/parts/cache.ts']);
  });

  test('no import in a comment', () => {
    expect(importsOf('dsl/x.ts', `// import { x } from '../cli/x.ts';\n/*\nimport '../cli/x.ts';\n*/`)).toEqual([]);
  });

  test('disks and foreign packages', () => {
    const source = example(
      'dsl/x.ts',
      `import { readFileSync } from 'node:fs';\nimport { z } from '@scope/name/part';`,
    );
    expect(impureImports(source)).toEqual(['dsl/x.ts imports node:fs']);
    expect(forbiddenPackages(layer('dsl/'), source)).toEqual(['dsl/x.ts imports @scope/name']);
  });

  test('the longest match of a path', () => {
    expect(layerOf('compiler/bundle/tar.ts')?.path).toBe('compiler/bundle/');
    expect(layerOf('compiler/lower/lower.ts')?.path).toBe('compiler/');
    expect(layerOf('cli/main.ts')).toBeUndefined();
  });

  test('cycles', () => {
    expect(
      firstCycle(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', []],
          ['d', ['b']],
        ]),
      ),
    ).toEqual(['b', 'd', 'b']);
    expect(
      firstCycle(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toEqual([]);
  });
});

function layerOf(path: string): Layer | undefined {
  return layers.filter((layer) => path.startsWith(layer.path)).sort((a, b) => b.path.length - a.path.length)[0];
}

function forbiddenImports(layer: Layer, { path, imports }: Source): readonly string[] {
  return imports.flatMap((found) => {
    if (found.kind !== 'own' || layerOf(found.path) === layer) return [];
    if (layer.mayImport.some((allowed) => found.path.startsWith(allowed)) || holdsOnlyNumbers(found.path)) return [];
    return [`${path} imports ${found.path}`];
  });
}

/** The numbers that the kernel and its users share are no dependency on the kernel: `export const NAME = integer`. */
function holdsOnlyNumbers(path: string): boolean {
  const source = all.find((candidate) => candidate.path === path);
  if (source === undefined || !path.startsWith('filters/kernel/')) return false;
  const code = source.text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
  return code.split(/[;\n]/).every((line) => /^\s*(export const \w+(: \w+)? = -?(0x[\da-f]+|[\d_]+))?\s*$/i.test(line));
}

function impureImports({ path, imports }: Source): readonly string[] {
  return imports.flatMap((found) => {
    if (found.kind !== 'package' || !found.specifier.startsWith('node:') || computing.includes(found.specifier))
      return [];
    return [`${path} imports ${found.specifier}`];
  });
}

function forbiddenPackages(layer: Layer, { path, imports }: Source): readonly string[] {
  return imports.flatMap((found) => {
    if (found.kind !== 'package' || found.specifier.startsWith('node:')) return [];
    const name = found.specifier
      .split('/')
      .slice(0, found.specifier.startsWith('@') ? 2 : 1)
      .join('/');
    return layer.packages === undefined || layer.packages.includes(name) ? [] : [`${path} imports ${name}`];
  });
}

/** The files of one cycle, the first again at the end; empty when there is none. */
function firstCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): readonly string[] => {
    const start = path.indexOf(node);
    if (start !== -1) return [...path.slice(start), node];
    if (done.has(node)) return [];
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(node);
    return [];
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
