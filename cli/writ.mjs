#!/usr/bin/env node
// `npx writ`: runs cli/main.ts under the pinned Node, whatever Node started this. It does not install packages.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from './build/dependencies.mjs';
import { nodeEnvironment } from './build/node-environment.mjs';
import { run } from './build/run.mjs';
import { build } from './build/steps.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const usageOrOperation = 2;

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} args */
async function main(args) {
  try {
    if (!existsSync(join(root, 'node_modules'))) throw new Error(`packages are missing: run \`npm ci\` in ${root}`);
    const script = join(root, 'cli', 'main.ts');
    if (!existsSync(script)) throw new Error(`${script} is missing`);
    const node = await pinnedNode(root);
    await build(root, node);
    return await run(node, [script, ...args], { cwd: process.cwd(), env: nodeEnvironment(root) });
  } catch (error) {
    process.stderr.write(`writ: ${error instanceof Error ? error.message : String(error)}\n`);
    return usageOrOperation;
  }
}
