// What a clone needs built before anything runs, in order. A step is skipped when the content of its inputs is
// what it was at its last success. To add a step, add an entry to `repositorySteps`.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { progress } from './progress.mjs';
import { run } from './run.mjs';

/**
 * @typedef {object} Step
 * @property {string} name of the stamp file
 * @property {string} what for the progress line
 * @property {string} script run by the pinned Node; a step whose script is not there is skipped
 * @property {readonly string[]} inputs files, and folders with all that is in them
 * @property {RegExp} kinds which files of these folders count
 * @property {readonly string[]} outputs
 */

/** @type {readonly Step[]} */
const repositorySteps = [
  {
    name: 'proto',
    what: 'generating protobuf code',
    script: 'proto/generate.ts',
    inputs: ['proto', 'package-lock.json'],
    kinds: /^(?!proto\/gen\/).*\.(proto|yaml|ts)$/,
    outputs: ['proto/gen'],
  },
  {
    name: 'kernel',
    what: 'compiling the kernel',
    script: 'filters/kernel/build.ts',
    inputs: ['filters/kernel', 'package-lock.json'],
    kinds: /\.(ts|json)$/,
    outputs: ['build/kernel/session.wasm', 'build/kernel/opa.wasm'],
  },
];

/**
 * @param {string} root
 * @param {string} node the pinned Node
 * @param {readonly Step[]} [steps]
 */
export async function build(root, node, steps = repositorySteps) {
  if (steps.every((step) => isFresh(root, step))) return;
  const onWait = (/** @type {number} */ pid) =>
    process.stderr.write(`writ: waiting for the build of process ${pid} …\n`);
  await withLock(join(root, 'build', 'lock'), () => buildLocked(root, node, steps), { onWait });
}

/** @param {string} root @param {string} node @param {readonly Step[]} steps */
async function buildLocked(root, node, steps) {
  for (const step of steps) {
    if (isFresh(root, step)) continue;
    const digest = inputsDigest(root, step);
    rmSync(stampPath(root, step), { force: true });
    await progress(step.what, async () => {
      const code = await run(node, [step.script], { cwd: root, quiet: true });
      if (code !== 0) throw new Error(`${step.what} failed: ${step.script} ended with exit code ${code}`);
      const missing = expectedOutputs(root, step).filter((path) => !existsSync(join(root, path)));
      if (missing.length > 0)
        throw new Error(`${step.what} failed: ${step.script} did not write ${missing.join(', ')}`);
    });
    mkdirSync(join(root, 'build', 'stamps'), { recursive: true });
    writeFileSync(stampPath(root, step), digest);
  }
}

/** @param {string} root @param {Step} step */
function isFresh(root, step) {
  if (!existsSync(join(root, step.script))) return true;
  if (!expectedOutputs(root, step).every((path) => existsSync(join(root, path)))) return false;
  const stamp = stampPath(root, step);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === inputsDigest(root, step);
}

/** A kernel's output is expected where its entry is there. @param {string} root @param {Step} step */
function expectedOutputs(root, step) {
  return step.outputs.filter(
    (path) => !path.endsWith('.wasm') || existsSync(join(root, 'filters/kernel', `${basename(path, '.wasm')}.ts`)),
  );
}

/** @param {string} root @param {Step} step */
function stampPath(root, step) {
  return join(root, 'build', 'stamps', step.name);
}

/** A digest of the inputs' names and contents. @param {string} root @param {Step} step */
function inputsDigest(root, step) {
  const hash = createHash('sha256');
  for (const input of step.inputs) {
    for (const path of filesOf(root, input, step.kinds)) {
      const bytes = readFileSync(join(root, path));
      hash.update(`${path}\0${bytes.length}\0`).update(bytes);
    }
  }
  return hash.digest('hex');
}

/** @param {string} root @param {string} input @param {RegExp} kinds @returns {string[]} relative to the root, sorted */
function filesOf(root, input, kinds) {
  if (extname(input) !== '') return [input];
  return readdirSync(join(root, input), { recursive: true, encoding: 'utf8' })
    .map((name) => `${input}/${name.replaceAll('\\', '/')}`)
    .filter((name) => kinds.test(name))
    .sort();
}
