// What is to be undone when a run ends, however it ends: in reverse order, each once.

export interface Cleanups {
  add(cleanup: () => Promise<void> | void): void;
  run(): Promise<void>;
}

export function createCleanups(): Cleanups {
  const open: (() => Promise<void> | void)[] = [];
  return {
    add: (cleanup) => void open.push(cleanup),
    run: async () => {
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        // One that fails must not keep the others from being run.
        try {
          await next();
        } catch (error) {
          process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
        }
      }
    },
  };
}
