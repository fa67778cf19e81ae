// Laws 4 and 10, on what `writ build` puts into a bundle: a policy is code, so that another policy is other code, and
// none of its conditions stands in the data; and how a policy is laid out in files leaves no trace but the names of its
// places and the hash of its source.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../cli/compile.ts';
import { BUNDLE_PATHS, type BundleFiles } from '../../compiler/bundle/bundle-paths.ts';
import { WRIT_SECTION } from '../../compiler/wasm/link.ts';

const ACME = fileURLToPath(new URL('../../examples/acme', import.meta.url));
const CODE = 10;
const DATA = 11;
const WASM = [BUNDLE_PATHS.policyWasm, BUNDLE_PATHS.filterWasm];

const sources = readdirSync(ACME)
  .filter((name) => name.endsWith('.writ'))
  .map((name) => ({ name, text: readFileSync(join(ACME, name), 'utf8') }));
const whole = sources.map(({ text }) => text).reduceRight((texts, text) => `${texts}\n\n${text}`);

let folder = '';
let files: BundleFiles;
let inOneFile: BundleFiles;
let otherwise: BundleFiles;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-sections-'));
  files = await compiled('files', sources);
  inOneFile = await compiled('one', [{ name: 'all.writ', text: whole }]);
  // One operator of one condition.
  const relation = 'model.clearance is at least prompt.classification';
  expect(whole.split(relation)).toHaveLength(2);
  otherwise = await compiled('otherwise', [
    { name: 'all.writ', text: whole.replace(relation, relation.replace('at least', 'above')) },
  ]);
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function compiled(
  name: string,
  texts: readonly { readonly name: string; readonly text: string }[],
): Promise<BundleFiles> {
  const at = join(folder, name);
  mkdirSync(at);
  for (const file of texts) writeFileSync(join(at, file.name), file.text);
  const result = await compile({ path: at, cwd: folder, allowUnenforced: false, deployment: null });
  if (result.compiled === null) throw new Error(JSON.stringify(result.diagnostics));
  return result.compiled.files;
}

describe.each(WASM)('%s', (path) => {
  test('of a policy that differs in one operator differs in its code, and not in its data', () => {
    expect(sectionsOf(otherwise, path).get(CODE)).not.toEqual(sectionsOf(inOneFile, path).get(CODE));
    expect(sectionsOf(otherwise, path).get(DATA)).toEqual(sectionsOf(inOneFile, path).get(DATA));
  });

  test('holds no plan and no source', () => {
    const bytes = Buffer.from(files.get(path)!);
    const plan = new TextDecoder().decode(files.get(BUNDLE_PATHS.plan));
    expect(plan).toContain('"kind"');
    for (const trace of ['"kind"', 'text_equals', 'is at least', 'on prompt', 'spend.writ'])
      expect(bytes.includes(trace), trace).toBe(false);
  });

  test('of the same declarations in one file, the other way round, differs in what it says of its source only', () => {
    const [one, other] = [sectionsOf(files, path), sectionsOf(inOneFile, path)];
    expect([...one.keys()]).toEqual([...other.keys()]);
    expect([...one.keys()].filter((section) => !one.get(section)!.equals(other.get(section)!))).toEqual([WRIT_SECTION]);
  });
});

test('of the same declarations in one file, the other files differ in places and the hash of the source', () => {
  const paths = [...files.keys()].filter((path) => !path.startsWith('/writ/source/') && !path.endsWith('.wasm'));
  expect(paths.filter((path) => withoutPlaces(files, path) !== withoutPlaces(inOneFile, path))).toEqual([]);
  expect(withoutPlaces(files, BUNDLE_PATHS.rego)).not.toBe(withoutPlaces(otherwise, BUNDLE_PATHS.rego));
});

/** A file's text without names of files, lines and offsets in them, and hashes. */
function withoutPlaces(bundle: BundleFiles, path: string): string {
  return new TextDecoder()
    .decode(bundle.get(path))
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replaceAll(/[\w.]+\.writ(:\d+|, characters \d+ to \d+)*/g, 'PLACE')
    .replaceAll(/"(start|end|line|column)": *\d+/g, '"$1": 0');
}

/** Contents by number; custom ones by name. WebAssembly Core Specification §5.5. */
function sectionsOf(bundle: BundleFiles, path: string): ReadonlyMap<number | string, Buffer> {
  const bytes = Buffer.from(bundle.get(path)!);
  const sections = new Map<number | string, Buffer>();
  let at = 8;
  const size = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++]!;
    const length = size();
    const end = at + length;
    if (id !== 0) sections.set(id, bytes.subarray(at, end));
    else {
      const name = size();
      sections.set(bytes.toString('utf8', at, at + name), bytes.subarray(at + name, end));
    }
    at = end;
  }
  return sections;
}
