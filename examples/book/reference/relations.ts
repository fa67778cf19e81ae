/** What each relation of conditions asks, in words, with an example. A relation without its entry does not compile. */
import type { Relation } from '../../../dsl/syntax-tree.ts';

export interface DescribedRelation {
  /** As it is written, for headings. */
  readonly written: string;
  readonly about: string;
  /** A condition of a rule on this event; the whole declaration where `declaration` says so. */
  readonly example: string;
  readonly event?: 'completion' | 'retrieval from files';
  readonly declaration?: true;
}

export const RELATIONS: { readonly [K in Relation['kind']]: DescribedRelation } = {
  holds: {
    written: 'NAME alone',
    about: 'An attribute of type `bool`, or a `term`, stands alone: it is true.',
    example: 'caller.trusted and prompt.stream',
  },
  known: {
    written: 'is known',
    about:
      'Whether an optional attribute has a value. An optional attribute may be used only where it is certainly known: beside `X is known and …`, or beside `X is not known or …`.',
    example: 'caller.manager is known and caller.manager is not caller.id',
  },
  unredacted: {
    written: 'is unredacted',
    about: 'Only in a `guarantee`: values of this detector stand in what was sent as they were.',
    example: 'guarantee cards_stay\n  never prompt sent where payment_card is unredacted\n',
    declaration: true,
  },
  oneOf: {
    written: 'is one of (…)',
    about: 'The attribute is one of the values. The values are written out.',
    example: 'caller.branch is one of (graz, linz)',
  },
  inList: {
    written: 'is in LIST',
    about:
      'The attribute is an entry of a declared list. When the list is older than its `max age`, the fact has failed.',
    example: 'caller.id is in vendors',
  },
  inHours: {
    written: 'is in hours NAME',
    about: 'A time lies within declared hours of the week: `now`, or an attribute of type `time`.',
    example: 'now is not in hours opening',
  },
  approvedBy: {
    written: 'is approved by REVIEWERS',
    about: 'Only in a `guarantee`: somebody of the reviewers has approved what was sent.',
    example:
      'guarantee looked_at\n  never prompt sent where text contains iban and prompt is not approved by lawyers\n',
    declaration: true,
  },
  compare: {
    written: 'is, is at least, is at most, is above, is below',
    about:
      'Compares two values of one type. `is` and `is not` compare anything but sets and text of the event; the others need an order: numbers, amounts, times, dates, and enums declared with `<`. Amounts carry their unit, and units are never mixed.',
    example: 'caller.branch is graz and prompt.tokens_estimate is above 2_000 tokens',
  },
  subsetOf: {
    written: 'is subset of SET',
    about: 'Every member of the set on the left is in the set on the right.',
    example: 'caller.groups is not subset of {"staff", "guests"}',
  },
  contains: {
    written: 'contains, contains any of (…)',
    about: `\`text contains\` looks for what detectors find, or for a word in quotes: whole words, upper and lower case alike. A set \`contains\` a member. An attribute of type text contains exactly the characters written. \`including restored\`, on
completions, also sees what the reply turned back from placeholders.`,
    example: 'text contains any of (iban, "inside information") or caller.groups contains "guests"',
  },
  overlaps: {
    written: 'overlaps',
    about: 'Two sets have a member in common. With an empty set it is never true.',
    example: 'chunk.readers overlaps caller.groups',
    event: 'retrieval from files',
  },
};
