// How vitest runs the whole suite. It does not say which tests run: every *.test.ts under test/ does.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    // Real parts (Envoy, llama.cpp) hold ports and child processes: a process per file, and no more than the two cores.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    // A file's first use of a real part may install it on a clean machine (OPA is compiled, weights are fetched).
    hookTimeout: 900_000,
    teardownTimeout: 30_000,
    allowOnly: false,
    passWithNoTests: false,
  },
});
