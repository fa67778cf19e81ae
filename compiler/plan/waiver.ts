// How a plan names a waiver among the rules of an event.

export const WAIVER_PREFIX = 'waiver ';

export function isWaiver({ name }: { readonly name: string }): boolean {
  return name.startsWith(WAIVER_PREFIX);
}
