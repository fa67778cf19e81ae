/** A programmer's error: something that the code before this has promised does not hold. */
export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${promise}`);
}
