// What a command loads before it does anything, by package: whoever asks for help or checks a policy must not wait for gRPC,
// TypeScript's compiler or a database. Each list is whole, so that whatever is loaded anew is seen here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { nodeEnvironment } from '../../cli/build/node-environment.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'cli/main.ts');
const GRPC = ['@bufbuild', '@grpc', '@js-sdsl'];
const METRICS = ['@opentelemetry', 'bintrees', 'prom-client', 'tdigest'];
const FRONT = ['@chevrotain', 'chevrotain'];

/** Loaded before a program: tells on standard error, at its end, of packages (a scope counts as one) and of threads. */
const WITNESS = `
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const loaded = new Set();
  registerHooks({
    load(url, context, next) {
      const found = /node_modules\\/([^/]+)/.exec(url);
      if (found !== null) loaded.add(found[1]);
      return next(url, context);
    },
  });
  process.on('worker', () => loaded.add('(a thread)'));
  process.on('exit', () => writeSync(2, '\\nloaded:' + JSON.stringify([...loaded].sort())));`;

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const preload = `data:text/javascript,${encodeURIComponent(WITNESS)}`;
  const ran = spawnSync(process.execPath, ['--import', preload, MAIN, ...args], { encoding: 'utf8', cwd: ROOT, env });
  expect(ran.status, ran.stderr).toBe(0);
  const loaded: unknown = JSON.parse(/\nloaded:(.*)$/.exec(ran.stderr)?.[1] ?? 'null');
  return { out: ran.stdout, loaded };
}

const bundle = join(mkdtempSync(join(tmpdir(), 'writ-start-')), 'acme.tar.gz');

beforeAll(() => {
  const { loaded } = run(['build', 'examples/acme', '-o', bundle]);
  expect(loaded).toEqual(['(a thread)', '@bufbuild', ...FRONT]);
});

test.each([
  [['--help'], []],
  [['--version'], []],
  [['keys', '--help'], []],
  [['check', '--help'], FRONT],
  [['check', 'examples/acme'], FRONT],
  [['test', 'examples/acme'], FRONT],
  [
    ['decide', bundle, 'examples/facts.json'],
    ['@open-policy-agent', 'sprintf-js'],
  ],
  [['status', '--help'], GRPC],
  [['rollback', '--help'], GRPC],
  [['list', '--help'], GRPC],
  [['switch', '--help'], GRPC],
  [
    ['push', '--help'],
    [...GRPC, ...FRONT],
  ],
  [
    ['sidecar', '--help'],
    [...GRPC, ...METRICS],
  ],
  [
    ['control-plane', '--help'],
    [...GRPC, ...METRICS, '@electric-sql'],
  ],
])('`writ %j` loads %j', (args, packages) => {
  expect(run(args).loaded).toEqual([...packages].sort());
});

test('code that was generated holds no options for other tools: all that speak xDS would decode them', () => {
  expect(readdirSync(join(ROOT, 'proto/gen')).sort()).toEqual(['envoy', 'google', 'writ', 'xds']);
  expect(existsSync(join(ROOT, 'proto/gen/envoy/annotations'))).toBe(false);
});

test('what was compiled is kept for the next start, and is the same program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'writ-compiled-'));
  const env = nodeEnvironment(folder, { PATH: process.env['PATH'] });
  const first = run(['check', 'examples/acme'], env);
  expect(readdirSync(join(folder, 'build/compiled'))).toHaveLength(1);
  expect(run(['check', 'examples/acme'], env)).toEqual(first);
});

test('where nothing can be kept, a start goes on without', () => {
  expect(run(['--version'], nodeEnvironment(MAIN, {})).out).toMatch(/^writ /);
});

test('whoever says where compiled code is kept is left alone', () => {
  expect(nodeEnvironment('/clone', { NODE_COMPILE_CACHE: '/elsewhere' })).toEqual({ NODE_COMPILE_CACHE: '/elsewhere' });
});
