// Makes sure that the npm packages of package-lock.json are installed, and that the pinned Node is there and runs.
// It may run under Node 20: the pinned Node runs everything else.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { progress } from './progress.mjs';
import { run } from './run.mjs';

/** Runs `npm ci` unless every package of the lock is installed in its version. @param {string} root */
export async function ensurePackages(root) {
  // npm runs `prepare` at the end of an installation: then the packages are there, and installing again would recurse.
  if (process.env['npm_lifecycle_event'] === 'prepare') return;
  const reason = missingPackage(root);
  if (reason === undefined) return;
  await progress(`installing npm packages (${reason})`, async () => {
    await npm(root, ['ci', '--ignore-scripts=false', '--no-audit', '--no-fund']);
  });
}

/**
 * The path of the pinned Node, repaired when the `node` package was installed without its binary
 * (`--ignore-scripts`, or an npm that asks before it runs scripts).
 * @param {string} root
 */
export async function pinnedNode(root) {
  const path = join(root, 'node_modules', 'node', 'bin', 'node');
  const wanted = `v${lockedPackages(join(root, 'package-lock.json')).get('node_modules/node')?.version}`;
  if (versionOf(path) === wanted) return path;
  await progress(`installing Node ${wanted}`, async () => {
    await npm(root, ['rebuild', 'node', '--ignore-scripts=false']);
  });
  const found = versionOf(path);
  if (found === wanted) return path;
  throw new Error(
    `node ${wanted} could not be installed: ${path} ${found === undefined ? 'does not run' : `is ${found}`}`,
  );
}

/** @param {string} root @returns {string | undefined} why an installation is needed */
export function missingPackage(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return 'none are installed';
  const installed = lockedPackages(record);
  for (const [path, { version, optional }] of lockedPackages(join(root, 'package-lock.json'))) {
    // An optional package is one for another platform, or one that npm could not install.
    if (path === '' || optional) continue;
    const there = installed.get(path)?.version;
    if (there !== version)
      return `${path.replace(/^.*node_modules\//, '')} ${version} is wanted, ${there ?? 'none'} is there`;
  }
  return undefined;
}

/** @param {string} file @returns {Map<string, { version: string, optional: boolean }>} */
function lockedPackages(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(
    Object.entries(packages).map(([path, entry]) => [
      path,
      { version: String(entry.version), optional: entry.optional === true || entry.devOptional === true },
    ]),
  );
}

/** @param {string} path @returns {string | undefined} */
function versionOf(path) {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/**
 * npm runs under the machine's own Node: the pinned one is among the files that it replaces. @param {string} root
 * @param {string[]} args
 */
async function npm(root, args) {
  const bin = join(root, 'node_modules', '.bin');
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== bin)
    .join(delimiter);
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^npm_(lifecycle|package|command|node)/.test(key)),
  );
  const code = await run('npm', args, { cwd: root, env: { ...env, PATH: path }, quiet: true });
  if (code !== 0) throw new Error(`\`npm ${args.join(' ')}\` failed with exit code ${code}`);
}
