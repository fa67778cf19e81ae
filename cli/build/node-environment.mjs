// The environment in which the pinned Node runs our programs: with a folder for compiled code, so that a program whose
// sources have not changed is neither stripped of its types nor compiled again. Node checks each entry against its source and
// its own version, and goes on without the folder where it cannot be written.
import { join } from 'node:path';

/**
 * Node's own variable, since worker threads and children inherit it; whoever has set it is left alone.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function nodeEnvironment(root, env = process.env) {
  return { NODE_COMPILE_CACHE: join(root, 'build', 'compiled'), ...env };
}
