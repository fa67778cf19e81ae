/** Who plays: employees of Acme's four departments, as the company's identity provider describes them in a JWT. */

export interface Person {
  readonly name: string;
  /** As the story calls them. */
  readonly title: string;
  readonly claims: { readonly [claim: string]: string | readonly string[] };
}

export const people = {
  sam: {
    name: 'Sam',
    title: 'Sam from support',
    claims: { sub: 'sam', dept: 'support', region: 'us', groups: ['support', 'everybody'], clearance: 'internal' },
  },
  mia: {
    name: 'Mia',
    title: 'Mia from marketing',
    claims: { sub: 'mia', dept: 'marketing', region: 'us', groups: ['marketing', 'everybody'], clearance: 'internal' },
  },
  finn: {
    name: 'Finn',
    title: 'Finn from finance',
    claims: { sub: 'finn', dept: 'finance', region: 'us', groups: ['finance', 'everybody'], clearance: 'confidential' },
  },
  hanna: {
    name: 'Hanna',
    title: 'Hanna from HR',
    claims: { sub: 'hanna', dept: 'hr', region: 'eu', groups: ['hr', 'everybody'], clearance: 'confidential' },
  },
  tess: {
    name: 'Tess',
    title: 'Tess, on trial in finance',
    claims: { sub: 'tess', dept: 'finance', region: 'us', groups: ['trial', 'everybody'], clearance: 'internal' },
  },
} as const satisfies { readonly [name: string]: Person };

export type PersonId = keyof typeof people;
