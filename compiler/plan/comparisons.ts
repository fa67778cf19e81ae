/** What each operator of `compare` says of two numbers. */
export const COMPARISONS = {
  eq: (left: number, right: number) => left === right,
  lt: (left: number, right: number) => left < right,
  le: (left: number, right: number) => left <= right,
  gt: (left: number, right: number) => left > right,
  ge: (left: number, right: number) => left >= right,
};
