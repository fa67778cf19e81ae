// Printing: the same tree again, the same text again, and every comment kept.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check.ts';
import { parse } from '../../dsl/parser.ts';
import { print } from '../../dsl/print.ts';
import { sourceFile } from '../../dsl/source.ts';
import { CATALOG } from '../diagnostics/check-case.ts';
import { generateSyntax } from './generate-syntax.ts';
import { shape } from './shape.ts';
import { SYNTAX_KINDS } from './syntax-kinds.ts';

const FORMS = new URL('./forms/', import.meta.url);
const EXAMPLES = new URL('../../examples/', import.meta.url);
const SEED = Number(process.env['WRIT_SEED'] ?? 20260101);
const FILES = 400;

function kindsOf(node: unknown, found: Set<string>): void {
  if (node === null || typeof node !== 'object') return;
  if ('kind' in node && typeof node.kind === 'string') found.add(node.kind);
  for (const value of Object.values(node)) kindsOf(value, found);
}

function printed(text: string): string {
  const source = sourceFile('x.writ', text);
  const { file, diagnostics } = parse(source);
  expect(diagnostics).toEqual([]);
  return print(file, source);
}

describe('generated files', () => {
  test(`parse ∘ print is the identity, seeds from ${SEED}`, () => {
    for (let seed = SEED; seed < SEED + FILES; seed++) {
      const file = generateSyntax(seed, 12);
      const text = print(file, null);
      const again = parse(sourceFile('generated.writ', text));
      expect(again.diagnostics, `seed ${seed}\n${text}`).toEqual([]);
      expect(shape(again.file.declarations), `seed ${seed}\n${text}`).toEqual(shape(file.declarations));
      expect(printed(text), `seed ${seed}`).toBe(text);
    }
  });

  test('checking what is well formed and not well typed throws nothing', () => {
    for (let seed = SEED; seed < SEED + FILES / 4; seed++) {
      const { program, diagnostics } = checkProgram(
        [sourceFile('g.writ', print(generateSyntax(seed, 25), null))],
        CATALOG,
      );
      expect(program, `seed ${seed}`).toBeNull();
      expect(diagnostics.length, `seed ${seed}`).toBeGreaterThan(0);
    }
  });

  test('every kind of node is generated', () => {
    const found = new Set<string>();
    for (let seed = SEED; seed < SEED + FILES; seed++) kindsOf(generateSyntax(seed, 12).declarations, found);
    expect([...found].sort()).toEqual(Object.keys(SYNTAX_KINDS).sort());
  });

  test('comments stay, and printing again changes nothing', () => {
    for (let seed = SEED; seed < SEED + FILES; seed++) {
      const lines = print(generateSyntax(seed, 6), null).split('\n');
      const commented = lines.flatMap((line, index) => {
        const random = (seed * 31 + index * 17) % 7;
        if (random === 0) return [`${line}   // after ${index}`];
        if (random === 1) return [`    // before ${index}`, line];
        return random === 2 ? ['', `// apart ${index}`, '', line] : [line];
      });
      const once = printed(commented.join('\n'));
      const count = (text: string): string[] =>
        [...text.matchAll(/\/\/ (?:after|before|apart) \d+/g)].map((match) => match[0]).sort();
      expect(count(once), `seed ${seed}`).toEqual(count(commented.join('\n')));
      expect(printed(once), `seed ${seed}\n${once}`).toBe(once);
    }
  });
});

/** Ours of every form, and the policies that readers see first. */
const POLICIES = [
  ...readdirSync(FORMS).map((name) => new URL(name, FORMS)),
  ...readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.writ'))
    .map((name) => new URL(name, EXAMPLES)),
];

describe.each(POLICIES.map((url) => [url.pathname.split('/').slice(-2).join('/'), url] as const))('%s', (name, url) => {
  const text = readFileSync(url, 'utf8');

  test('prints as the same tree', () => {
    const before = parse(sourceFile(name, text));
    const after = parse(sourceFile(name, printed(text)));
    expect(shape(after.file.declarations)).toEqual(shape(before.file.declarations));
    expect(after.file.comments.map((comment) => comment.text)).toEqual(
      before.file.comments.map((comment) => comment.text),
    );
  });

  test('printed twice is printed once', () => {
    expect(printed(printed(text))).toBe(printed(text));
  });
});

test('the style', () => {
  expect(printed(readFileSync(new URL('bank.writ', FORMS), 'utf8'))).toMatchSnapshot();
});
