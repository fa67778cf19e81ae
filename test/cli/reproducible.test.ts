// Law 4: the same source and the same key give the same bytes, whoever builds, where and when. Each build is a process
// of its own, in a world that differs in everything but the policy and the key.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';

const ACME = fileURLToPath(new URL('../../examples/acme', import.meta.url));
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const run = promisify(execFile);

interface World {
  readonly name: string;
  /** The policy's folder, below the world's own. */
  readonly at: string;
  readonly env: { readonly [name: string]: string };
  readonly umask: string;
  /** In which order the files were made, which is the order in which some file systems list them. */
  readonly order: (names: readonly string[]) => readonly string[];
  readonly modifiedAt: Date;
}

const WORLDS: readonly World[] = [
  {
    name: 'a laptop',
    at: 'acme',
    env: { TZ: 'UTC', LANG: 'C', LC_ALL: 'C' },
    umask: '022',
    order: (names) => names,
    modifiedAt: new Date('2026-01-02T03:04:05Z'),
  },
  {
    name: 'a build machine',
    at: 'deep/down/über uns/policy',
    env: { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', NODE_ENV: 'production', CI: '1' },
    umask: '077',
    order: (names) => names.toReversed(),
    modifiedAt: new Date('1999-12-31T23:59:59Z'),
  },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-reproducible-'));
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'key.pem'), privateKey);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function built(world: World): Promise<Buffer> {
  const home = join(folder, world.name);
  const policy = join(home, world.at);
  mkdirSync(policy, { recursive: true });
  for (const name of world.order(readdirSync(ACME))) {
    cpSync(join(ACME, name), join(policy, name));
    utimesSync(join(policy, name), world.modifiedAt, world.modifiedAt);
  }
  const build = ['"$0" "$1" build "$2" -o out.tar.gz --key ../key.pem', process.execPath, MAIN, world.at];
  await run('sh', ['-c', `umask ${world.umask}; exec ${build[0]!}`, ...build.slice(1)], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, ...world.env },
  });
  return readFileSync(join(home, 'out.tar.gz'));
}

test(
  'folder, times of files, their order, umask, locale and time zone leave no trace',
  { timeout: 240_000 },
  async () => {
    const [one, other] = [await built(WORLDS[0]!), await built(WORLDS[1]!)];
    // By file first, because a difference should be named.
    const files = readBundle(one);
    const others = readBundle(other);
    expect([...others.keys()]).toEqual([...files.keys()]);
    expect(
      [...files].filter(([path, bytes]) => !Buffer.from(bytes).equals(others.get(path)!)).map(([path]) => path),
    ).toEqual([]);
    expect(one.equals(other)).toBe(true);
    expect(files.has('/.signatures.json')).toBe(true);
  },
);
