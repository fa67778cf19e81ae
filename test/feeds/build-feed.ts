/** Images of feeds as a sidecar hands them to a filter, from values as people write them. */
import { entryOf, hashedValue, packEntries } from '../../compiler/bundle/feed-entries.ts';
import { listState, type SwitchState } from '../../compiler/bundle/feed.ts';
import { feedImage } from '../../filters/host/feed-image.ts';

export const SALT = '000102030405060708090a0b0c0d0e0f';

export interface ListParts {
  readonly name: string;
  readonly values: readonly string[];
  readonly element?: string;
  readonly sequence?: number;
  readonly issuedAt: number;
}

export function entriesOf(values: readonly string[], element = 'text'): Uint8Array {
  return packEntries(values.map((value) => entryOf(Buffer.from(SALT, 'hex'), hashedValue(element, value))));
}

export function listImage({ name, values, element = 'text', sequence = 1, issuedAt }: ListParts): Uint8Array {
  const entries = entriesOf(values, element);
  return feedImage(listState({ policy: 'p', name, sequence, issuedAt, element, salt: SALT }, entries), entries);
}

export function switchImage(name: string, parts: Partial<SwitchState> & { readonly issuedAt: number }): Uint8Array {
  const usual = { kind: 'switch', policy: 'p', name, sequence: 1, on: true, until: null } as const;
  return feedImage({ ...usual, ...parts }, new Uint8Array());
}
