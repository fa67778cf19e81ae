// Time that the test moves: timers run in order, as fast as they can, and promises settle between them.
export class VirtualTime {
  now = 0;
  #order = 0;
  readonly #timers: { readonly at: number; readonly order: number; readonly action: () => void }[] = [];

  later(action: () => void, ms: number): () => void {
    const timer = { at: this.now + Math.max(0, Math.ceil(ms)), order: this.#order++, action };
    const index = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(index < 0 ? this.#timers.length : index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.later(resolve, ms));
  }

  /** Runs everything due until `end`. */
  async run(end: number): Promise<void> {
    for (;;) {
      await settled();
      const timer = this.#timers[0];
      if (timer === undefined || timer.at > end) break;
      this.#timers.shift();
      this.now = timer.at;
      timer.action();
    }
    this.now = end;
  }
}

/** All promise reactions have run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
