// One line on stderr when something starts, and one with the seconds when it is done.

/**
 * @template T
 * @param {string} what in the form "generating protobuf code"
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function progress(what, action) {
  const started = performance.now();
  process.stderr.write(`writ: ${what} …\n`);
  const result = await action();
  process.stderr.write(`writ: ${what}: done in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return result;
}
