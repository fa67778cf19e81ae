// Generates proto/gen/ from our .proto files and those of Envoy's API that we use. It stages the closure of
// imports in one folder, because a file of ours may take the place of a published one (same path), and buf
// refuses two roots with the same file. It does not decide when to run: cli/bootstrap.mjs does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publishedEntries } from './entries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const ownRoot = join(root, 'proto');
const publishedRoots = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'].map((name) =>
  join(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds/package.json')), 'deps', name),
);
/** buf has these built in, and @bufbuild/protobuf ships their TypeScript. */
const builtIn = /^google\/protobuf\//;
/** The shipped Envoy API uses this rule, which the validate.proto shipped beside it is too old to know. */
const unknownRule = ' ignore_empty: true';
/** A closure larger than this means that an entry pulled in something that it should not have. */
const stagedFilesMax = 400;

generate();

function generate(): void {
  const staged = join(root, 'build', 'proto');
  const fresh = join(root, 'build', 'proto-gen');
  rmSync(staged, { recursive: true, force: true });
  rmSync(fresh, { recursive: true, force: true });

  const files = closure([...ownFiles(), ...publishedEntries]);
  for (const [path, source] of files) {
    const target = join(staged, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(source, 'utf8').replaceAll(unknownRule, ''));
  }

  const bin = join(root, 'node_modules', '.bin');
  const result = spawnSync(
    join(bin, 'buf'),
    ['generate', staged, '--template', join(ownRoot, 'buf.gen.yaml'), '--output', fresh],
    { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` } },
  );
  if (result.status !== 0) {
    process.stderr.write(`${result.error?.message ?? ''}${result.stdout ?? ''}${result.stderr ?? ''}\n`);
    process.exitCode = 1;
    return;
  }
  // Whole or not at all: a half-written folder would look generated to the next run.
  const target = join(ownRoot, 'gen');
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}

/** Every .proto under proto/, as import paths. */
function ownFiles(): string[] {
  return readdirSync(ownRoot, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.proto') && !path.startsWith('gen/'));
}

/** The given import paths and everything that they import, each with the file that holds it. */
function closure(entries: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (builtIn.test(path) || found.has(path)) continue;
    const source = locate(path);
    found.set(path, source);
    if (found.size > stagedFilesMax) throw new Error(`more than ${stagedFilesMax} .proto files are imported`);
    const text = readFileSync(source, 'utf8');
    for (const match of text.matchAll(/^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;/gm)) queue.push(match[1]!);
  }
  return found;
}

function locate(path: string): string {
  for (const candidate of [ownRoot, ...publishedRoots].map((base) => join(base, path))) {
    if (existsSync(candidate)) return candidate;
  }
  throw new Error(`no .proto file \`${path}\``);
}
