// Times a function that is much shorter than a clock's tick.

const CLOCK_READ_EVERY_MS = 5;

/** Microseconds a call, over as many calls as the time takes. */
export function microsecondsPerCall(call: () => unknown, seconds: number): number {
  let batch = 1;
  // So that reading the clock counts for nothing.
  for (;;) {
    const start = performance.now();
    for (let n = 0; n < batch; n++) call();
    if (performance.now() - start >= CLOCK_READ_EVERY_MS) break;
    batch *= 2;
  }
  let calls = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  let now = start;
  while (now < end) {
    for (let n = 0; n < batch; n++) call();
    calls += batch;
    now = performance.now();
  }
  return ((now - start) * 1000) / calls;
}
