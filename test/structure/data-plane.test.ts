// Law 10: outside the wasm nothing parses a body, runs a RegExp on it or knows a rule. Bodies pass through filters/door
// and filters/host only; the sidecar around them reads documents of ours. Sources are judged as syntax trees, so that
// another way of writing the same is the same; and by all that they import, so that nothing is done elsewhere for them.
import { Node, Project, type SourceFile, SyntaxKind } from 'ts-morph';
import { describe, expect, test } from 'vitest';
import { importsOf, type Source, sources } from './sources.ts';

/** Through these folders the bytes of exchanges pass. */
const PASSAGES = ['filters/door/', 'filters/host/'];
/** Where JSON is read that is ours: the bundle's documents, the filter's own records, our files. */
const READERS = [
  'filters/sidecar/access-log-entry.ts',
  'filters/sidecar/budgets/budget-journal.ts',
  'filters/sidecar/decision-record.ts',
  'filters/sidecar/deployment-settings.ts',
  'filters/sidecar/envoy-document.ts',
  'filters/sidecar/state-folder.ts',
];
/** Where bytes become text in a passage, and which bytes those are. */
const DECODERS: { readonly [path: string]: string } = {
  'filters/door/http2/hpack-decoder.ts': 'the headers of a gRPC call, which are the same for all exchanges',
  'filters/door/http2/huffman.ts': 'the same, where they are compressed',
  'filters/door/wire/wire-reader.ts': 'the headers that Envoy sends, and what it verified of the caller',
  'filters/host/filter-memory.ts': 'names and numbers that the filter writes in its own documents, and its records',
  'filters/host/header-pairs.ts': 'headers that the filter sets',
};
/** Foreign code that the data plane runs on. */
const PACKAGES = ['@bufbuild/protobuf', '@grpc/grpc-js', 'prom-client'];
/** Everything of ours that the data plane reaches, at any remove. */
const REACHED = /^(filters\/(door|host|sidecar|kernel)\/|compiler\/bundle\/|proto\/)/;

const all = new Map(sources().map((source) => [source.path, source]));
const dataPlane = [...all.values()].filter(({ path }) => /^filters\/(door|host|sidecar)\//.test(path));
const isPassage = (path: string): boolean => PASSAGES.some((folder) => path.startsWith(folder));

interface Law {
  readonly name: string;
  readonly holdsFor: (path: string) => boolean;
  /** The nodes that break it. */
  readonly breaches: (node: Node) => boolean;
  /** Code that breaks it, each in another way, so that the test is known to see. */
  readonly examples: readonly string[];
  /** Code that does not, though it looks like it. */
  readonly innocent: readonly string[];
}

const LAWS: readonly Law[] = [
  {
    name: 'no JSON is parsed but our own',
    holdsFor: (path) => !READERS.includes(path),
    breaches: (node) => (isGlobal(node, 'JSON') && !isStringify(node)) || namesMember(node, ['json']),
    examples: [
      'JSON.parse(text)',
      "JSON['parse'](text)",
      'JSON . parse(text)',
      'const { parse } = JSON;',
      'const json = JSON; json.parse(text);',
      'globalThis.JSON.parse(text)',
      "Reflect.get(JSON, 'parse')(text)",
      'await response.json()',
    ],
    innocent: ['JSON.stringify(value)', 'const text = "JSON.parse";', '// JSON.parse'],
  },
  {
    name: 'no pattern is run but on documents of ours',
    holdsFor: (path) => !READERS.includes(path),
    breaches: (node) =>
      node.isKind(SyntaxKind.RegularExpressionLiteral) ||
      isGlobal(node, 'RegExp') ||
      namesMember(node, ['match', 'matchAll', 'search', 'exec']),
    examples: [
      '/card/.test(body)',
      'const pattern = /[0-9]+/g;',
      'new RegExp(text)',
      'RegExp(text)',
      'const Pattern = RegExp;',
      'body.match(pattern)',
      "body['search'](pattern)",
      'body.split(/,/)',
      'const { exec } = pattern;',
    ],
    innocent: ["text.split('\\n')", "path.startsWith('/v1/')", 'a / b / c', "const text = '/card/';"],
  },
  {
    name: 'no bytes become text where exchanges pass, but those that are named',
    holdsFor: (path) => isPassage(path) && !(path in DECODERS),
    breaches: (node) =>
      isGlobal(node, 'TextDecoder') ||
      isGlobal(node, 'StringDecoder') ||
      isGlobal(node, 'fromCharCode') ||
      namesMember(node, [
        'toString',
        'toLocaleString',
        'fromCharCode',
        'fromCodePoint',
        'utf8Slice',
        'latin1Slice',
        'asciiSlice',
        'decode',
        'setEncoding',
      ]),
    examples: [
      'request.body.toString()',
      "request.body['toString']('latin1')",
      'new TextDecoder().decode(bytes)',
      'const Decoder = TextDecoder;',
      'String.fromCharCode(...body)',
      'const { toString } = body;',
    ],
    innocent: ['new TextEncoder().encode(text)', "Buffer.from(text, 'latin1')"],
  },
  {
    name: 'nothing is run that these laws cannot see',
    holdsFor: () => true,
    breaches: (node) =>
      ['eval', 'Function', 'require', 'globalThis', 'Reflect', 'Proxy'].some((name) => isGlobal(node, name)) ||
      isDynamicImport(node) ||
      (Node.isStringLiteral(node) && HATCHES.includes(node.getLiteralText())),
    examples: [
      "eval('JSON.parse')",
      "new Function('return JSON')()",
      "await import(`../../compiler/plan/${'plan'}.ts`)",
      "await import('node:fs')",
      "globalThis['JSON']",
      "Reflect.get(filter, 'x')",
      "import { runInThisContext } from 'node:vm';",
      "import { createRequire } from 'node:module';",
    ],
    innocent: ["import { readFileSync } from 'node:fs';", 'const f: (x: number) => void = g;'],
  },
];

const HATCHES = [
  'node:vm',
  'node:module',
  'node:worker_threads',
  'node:string_decoder',
  'vm',
  'module',
  'worker_threads',
];

const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
const treeOf = (path: string, text: string): SourceFile => project.createSourceFile(path, text, { overwrite: true });

function breachesIn(law: Law, tree: SourceFile): readonly string[] {
  return tree
    .getDescendants()
    .filter((node) => law.breaches(node))
    .map((node) => `${node.getStartLineNumber()}: ${node.getParentOrThrow().getText().slice(0, 120)}`);
}

test('there is a data plane to look at', () => {
  expect(dataPlane.filter(({ path }) => isPassage(path)).length).toBeGreaterThan(10);
  expect([...READERS, ...Object.keys(DECODERS)].filter((path) => !all.has(path))).toEqual([]);
});

describe.each(LAWS)('$name', (law) => {
  test('in the data plane', () => {
    const found = dataPlane
      .filter(({ path }) => law.holdsFor(path))
      .flatMap(({ path, text }) => breachesIn(law, treeOf(path, text)).map((breach) => `${path}:${breach}`));
    expect(found).toEqual([]);
  });

  test.each(law.examples)('a breach is seen: %s', (example) => {
    expect(breachesIn(law, treeOf('example.ts', example))).not.toEqual([]);
  });

  test.each(law.innocent)('none is seen in: %s', (example) => {
    expect(breachesIn(law, treeOf('example.ts', example))).toEqual([]);
  });
});

describe('no plan, rule, detector or protocol is known', () => {
  const reached = closureOf(dataPlane);

  test('to anything that the data plane imports, at any remove', () => {
    expect(reached.filter(({ path }) => !REACHED.test(path)).map(({ path }) => path)).toEqual([]);
  });

  test('and foreign code is what is listed', () => {
    const packages = reached.flatMap(({ imports }) =>
      imports.flatMap((each) =>
        each.kind === 'package' && !each.specifier.startsWith('node:') ? [each.specifier] : [],
      ),
    );
    expect(
      [...new Set(packages)].filter(
        (name) => !PACKAGES.some((known) => name === known || name.startsWith(`${known}/`)),
      ),
    ).toEqual([]);
  });

  test('a way round is seen', () => {
    const text = "import { decide } from '../../compiler/interpret/decide.ts';";
    const example: Source = { path: 'filters/door/x.ts', text, imports: importsOf('filters/door/x.ts', text) };
    expect(closureOf([example]).some(({ path }) => path === 'compiler/plan/order.ts')).toBe(true);
  });
});

/** The files, and all of ours that they import, and so on. */
function closureOf(files: readonly Source[]): readonly Source[] {
  const found = new Map(files.map((file) => [file.path, file]));
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const each of file.imports) {
      if (each.kind !== 'own' || found.has(each.path)) continue;
      const next = all.get(each.path) ?? { path: each.path, text: '', imports: [] };
      found.set(next.path, next);
      open.push(next);
    }
  }
  return [...found.values()];
}

// ------------------------------------------------------------------------------------------------------------------
// what a node is

/** A use of the name itself, not of a member or property of that name. */
function isGlobal(node: Node, name: string): boolean {
  if (!Node.isIdentifier(node) || node.getText() !== name) return false;
  const parent = node.getParent();
  return !(Node.isPropertyAccessExpression(parent) && parent.getNameNode() === node && !isGlobalThis(parent));
}

function isGlobalThis(access: Node): boolean {
  return Node.isPropertyAccessExpression(access) && ['globalThis', 'global'].includes(access.getExpression().getText());
}

function isStringify(node: Node): boolean {
  const parent = node.getParent();
  return Node.isPropertyAccessExpression(parent) && parent.getExpression() === node && parent.getName() === 'stringify';
}

/** A member of one of the names: after a dot, in brackets, or taken apart. */
function namesMember(node: Node, names: readonly string[]): boolean {
  if (Node.isPropertyAccessExpression(node)) return names.includes(node.getName());
  if (Node.isElementAccessExpression(node)) {
    const argument = node.getArgumentExpression();
    return Node.isStringLiteral(argument) && names.includes(argument.getLiteralText());
  }
  return Node.isBindingElement(node) && names.includes(node.getPropertyNameNode()?.getText() ?? node.getName());
}

function isDynamicImport(node: Node): boolean {
  return Node.isCallExpression(node) && node.getExpression().isKind(SyntaxKind.ImportKeyword);
}
