// A file that is imported is a ceiling: what only narrows may be added, what widens needs a delegation and stays within
// its condition.
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check.ts';
import { importedPath } from '../../dsl/import-path.ts';
import { type SourceFile, sourceFile } from '../../dsl/source.ts';
import { CATALOG } from '../diagnostics/check-case.ts';

const HASH = 'ab'.repeat(32);
const head = (name: string, retrieval = 'deny'): string => `policy ${name} {
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: ${retrieval}
  default ingest: deny
  on failure: deny
}
`;
const COMPANY = `${head('company')}
caller { id: text from claim "sub"  team: text from claim "team" }
store files chroma "files" { level: text from metadata "level" }
rule hide on prompt redact email as mask waivable by "dpo@company.example"
delegate to sales where caller.team is "sales" may allow, waive
`;
const IMPORT = `import "../company.writ" at "sha256:${HASH}"\n`;

function check(own: string, company = COMPANY) {
  const imported: SourceFile = { ...sourceFile('../company.writ', company), importedAs: HASH };
  return checkProgram([imported, sourceFile('sales.writ', own)], CATALOG);
}

const errors = (own: string, company = COMPANY): string[] =>
  check(own, company)
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ code, message }) => `${code} ${message}`);

describe('whoever imports', () => {
  test.each([
    'rule r on prompt where text contains iban deny',
    'rule r on prompt redact iban as mask',
    'rule r on retrieval from files withhold chunk unless chunk.level is "open"',
    'guarantee g never prompt sent where text contains iban',
    'rule r on retrieval from files allow',
    'store mine chroma "mine" { level: text from metadata "level" }',
  ])('may write: %s', (declaration) => expect(errors(`${head('sales')}${IMPORT}${declaration}\n`)).toEqual([]));

  test.each([
    ['rule r on prompt set prompt.store to false', 'E0418 `set` may widen'],
    ['rule r on retrieval from files allow deny', 'E0418 this narrows'],
    ['caller { id: text from claim "sub" }', 'E0418 the callers are declared'],
    ['rule hide on prompt deny', 'E0203'],
    ['import "../other.writ" at "sha256:00"', 'E0417 there is no file'],
  ])('may not write: %s', (declaration, said) =>
    expect(errors(`${head('sales')}${IMPORT}${declaration}\n`).join('\n')).toContain(said),
  );

  test('has what was delegated, within its condition', () => {
    const { program } = check(
      `${head('sales')}${IMPORT}rule r on retrieval from files where chunk.level is "open" allow\n`,
    );
    const rule = program?.rules.find(({ name }) => name === 'r');
    expect(rule?.where).toMatchObject({
      kind: 'and',
      operands: [
        { kind: 'compare', left: { name: 'level' } },
        { kind: 'compare', left: { name: 'team' } },
      ],
    });
  });

  test('has nothing of what was delegated to another', () =>
    expect(errors(`${head('legal')}${IMPORT}rule r on retrieval from files allow\n`)).toEqual([
      'E0418 `allow` may widen what the imported files decide, and was not delegated',
    ]));

  test('delegates nothing to itself', () =>
    expect(
      errors(
        `${head('legal')}${IMPORT}delegate to legal where caller.team is "legal" may allow\nrule r on retrieval from files allow\n`,
      ),
    ).toHaveLength(1));

  test('waives a rule that is imported only where that was delegated', () => {
    const waiver = 'waiver w "Trial" of hide until 2030-01-01 owner "a@b.example"\n';
    const { program } = check(`${head('sales')}${IMPORT}${waiver}`);
    expect(program?.waivers[0]?.where).toMatchObject({ kind: 'compare', left: { name: 'team' } });
    expect(errors(`${head('legal')}${IMPORT}${waiver}`)).toHaveLength(1);
  });

  test.each([
    [head('sales', 'allow'), 'E0419 the imported policy denies a retrieval by default'],
    [head('sales').replace('on failure: deny', 'on failure: allow'), 'E0419 the imported policy denies on failure'],
    [head('sales').replace('usd', 'eur'), 'E0419 the imported policy counts in `usd`'],
    [head('sales').replace('"UTC"', '"Europe/Berlin"'), 'E0419 the imported policy has the time zone "UTC"'],
  ])('has a policy that is nowhere wider', (own, said) => expect(errors(`${own}${IMPORT}`)).toContain(said));

  test('may deny more by default', () =>
    expect(errors(`${head('sales').replace('default prompt: allow', 'default prompt: deny')}${IMPORT}`)).toEqual([]));

  test('is told nothing of what an imported file could say better, and runs none of its tests', () => {
    const { diagnostics, program } = check(
      `${head('sales')}${IMPORT}`,
      `${COMPANY}term idle = caller.id is "u"\ntest "t" { retrieval from files }\n`.replace(
        'test "t" { retrieval from files }\n',
        '',
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(program?.tests).toEqual([]);
  });

  test('is refused where the file is not the one that was pinned', () => {
    const wrong = IMPORT.replace(HASH, 'cd'.repeat(32));
    const { diagnostics } = check(`${head('sales')}${wrong}`);
    expect(diagnostics.map(({ code }) => code)).toEqual(['E0416']);
    expect(diagnostics[0]?.help[0]?.edits[0]?.text).toBe(`"sha256:${HASH}"`);
  });

  test('cannot import through an import', () =>
    expect(errors(`${head('sales')}${IMPORT}`, `${COMPANY}${IMPORT}`)).toContain(
      'E0417 an imported file imports nothing itself',
    ));
});

test.each([
  ['a.writ', '../org.writ', '../org.writ'],
  ['team/a.writ', '../org.writ', 'org.writ'],
  ['team/a.writ', './b/../../x/org.writ', 'x/org.writ'],
  ['a.writ', '../../org.writ', '../../org.writ'],
  ['a.writ', '/org.writ', null],
  ['a.writ', 'org.txt', null],
  ['a.writ', 'a\\org.writ', null],
])('from %s, %s is %s', (from, written, path) => expect(importedPath(from, written)).toBe(path));
