/** Waits for Ctrl-C or SIGTERM, keeping the process alive meanwhile. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    // A listener on a signal holds no process open.
    const alive = setInterval(() => undefined, 60_000);
    const over = (): void => {
      clearInterval(alive);
      resolve();
    };
    signal.addEventListener('abort', over, { once: true });
  });
}
