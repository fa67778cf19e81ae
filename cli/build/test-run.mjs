// Runs the type check and the tests, and ends with the one line `N passed, N failed`. The type check counts as a
// test; so do the parts when they cannot be installed. A test file that does not load, an error outside of a test,
// a skipped test and a run without tests are failures.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { progress } from './progress.mjs';
import { run } from './run.mjs';

/**
 * @param {string} root
 * @param {string} node the pinned Node
 * @param {readonly string[]} args for vitest: parts of file names, or its flags
 * @returns {Promise<number>} the exit code
 */
export async function runTests(root, node, args) {
  const whole = args.length === 0;
  // A part of the suite installs what it needs when it needs it.
  const checks = whole
    ? [
        await succeeds('installing the real parts', () =>
          run(node, ['examples/parts/main.ts', 'install'], { cwd: root }),
        ),
      ]
    : [];
  checks.push(
    await succeeds('checking types', () =>
      run(node, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', root], { cwd: root }),
    ),
  );
  const tests = await runVitest(root, node, args);
  const passed = tests.passed + checks.filter((check) => check).length;
  const failed = tests.failed + checks.filter((check) => !check).length;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/** @param {string} what @param {() => Promise<number>} command @returns {Promise<boolean>} */
async function succeeds(what, command) {
  const code = await progress(what, command);
  if (code !== 0) process.stderr.write(`writ: ${what} failed\n`);
  return code === 0;
}

/** @param {string} root @param {string} node @param {readonly string[]} args */
async function runVitest(root, node, args) {
  const report = join(root, 'build', `test-report.${process.pid}.json`);
  const code = await run(
    node,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      'test/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ],
    { cwd: root },
  );
  const counts = countTests(
    existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] },
    code,
    args,
  );
  rmSync(report, { force: true });
  return counts;
}

/**
 * Counts vitest's JSON report. What the report does not hold (a crash, an error outside of a test, no test at all) is
 * one failure.
 * @param {{ testResults: readonly { status: string, assertionResults: readonly { status: string }[] }[] }} report
 * @param {number} code vitest's exit code
 * @param {readonly string[]} args
 */
export function countTests({ testResults }, code, args) {
  // `-t NAME` skips the tests of other names.
  const chosenByName = args.some((arg) => arg === '-t' || arg.startsWith('--testNamePattern'));
  let passed = 0;
  let failed = 0;
  for (const file of testResults) {
    const results = file.assertionResults;
    const failedHere = results.filter(
      ({ status }) => status !== 'passed' && !(chosenByName && status === 'skipped'),
    ).length;
    passed += results.filter(({ status }) => status === 'passed').length;
    failed += failedHere === 0 && file.status === 'failed' ? 1 : failedHere;
  }
  return failed === 0 && (code !== 0 || passed === 0) ? { passed, failed: 1 } : { passed, failed };
}
