// Waits until something is so, and fails when it does not come to be.
const POLL_MS = 20;

export async function settles(isSo: () => boolean | Promise<boolean>, msMax = 10_000): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${msMax} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
