// The entry of `npm run build|test|demo|book|bench|fuzz|soak`, and of npm's `prepare`. It runs on Node 20 with nothing
// installed: it installs the packages, finds the pinned Node, builds, and hands over to that Node.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages, pinnedNode } from './build/dependencies.mjs';
import { nodeEnvironment } from './build/node-environment.mjs';
import { run } from './build/run.mjs';
import { build } from './build/steps.mjs';
import { runTests } from './build/test-run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {Record<string, (node: string, args: string[]) => Promise<number>>} */
const verbs = {
  build: async () => 0,
  test: (node, args) => runTests(root, node, args),
  demo: (node, args) => runScript(node, 'examples/demo/main.ts', args),
  book: (node, args) => runScript(node, 'examples/book/main.ts', args),
  bench: (node, args) => runScript(node, 'test/bench/main.ts', args),
  fuzz: (node, args) => runScript(node, 'test/fuzz/main.ts', args),
  soak: (node, args) => runScript(node, 'test/soak/main.ts', args),
};

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} argv */
async function main([verb = '', ...args]) {
  const action = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (action === undefined) {
    process.stderr.write(`usage: node cli/bootstrap.mjs <${Object.keys(verbs).join('|')}> [arguments]\n`);
    return 2;
  }
  try {
    await ensurePackages(root);
    const node = await pinnedNode(root);
    await build(root, node);
    return await action(node, args);
  } catch (error) {
    process.stderr.write(`writ: ${error instanceof Error ? error.message : String(error)}\n`);
    // Whoever counts tests must not take a build that broke for a run without failures.
    if (verb === 'test') process.stdout.write('0 passed, 1 failed\n');
    return 1;
  }
}

/** @param {string} node @param {string} script @param {string[]} args */
async function runScript(node, script, args) {
  if (!existsSync(join(root, script))) throw new Error(`${script} is not there`);
  return run(node, [join(root, script), ...args], { cwd: root, env: nodeEnvironment(root) });
}
