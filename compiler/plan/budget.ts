// What a cap of a plan counts, and how it is named.

/** What a rate counts. */
export type Counted = 'requests' | 'tokens';

/** How reasons and reports name a budget or a rate. */
export function capName({ name, counts }: { readonly name: string; readonly counts?: Counted }): string {
  return `${counts === undefined ? 'budget' : 'rate'} ${name}`;
}
