// Waits until something is so, and fails when it does not come to be.
const POLL_MS = 20;

/** `state` says what was seen last: without it nobody can tell a slow machine from a fault. */
export async function settles(
  isSo: () => boolean | Promise<boolean>,
  msMax = 10_000,
  state: () => string = () => isSo.toString(),
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${msMax} ms: ${state()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
