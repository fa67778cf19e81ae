/** What each event is, and each type, in words. */
import type { EventKind, Type } from '../../../dsl/program.ts';

export const EVENTS: { readonly [K in EventKind]: string } = {
  prompt:
    'A request to a model, before it leaves: every message, what the request asks for, and who asks. Here most is decided: whether it may go, to which model, with what in place of which values.',
  completion:
    'The answer of a model, whole or as a stream. What the prompt’s placeholders stood for is turned back for the caller after the rules have judged the answer.',
  toolCall: 'A call of a tool that a model asks for in its answer, with the arguments that it wrote.',
  retrieval:
    'A search in a vector store, and each chunk that it finds. What rules say of chunks becomes a part of the query, and is checked again on what came back.',
  ingest: 'A document on its way into a vector store.',
  exchange: 'A prompt and its answer together, after both. Nothing can be denied any more.',
  egress: 'A connection to the outside that does not pass a declared model, seen by its host name.',
};

export const TYPES: { readonly [K in Type['kind']]: { readonly written: string; readonly about: string } } = {
  bool: { written: 'bool', about: '`true` or `false`' },
  int: { written: 'int', about: 'a whole number up to 2^53−1: `128_000`, `32k`, `1M`' },
  decimal: {
    written: 'decimal with 3 digits',
    about: 'a number with so many digits after the point; 2 where it is not said',
  },
  text: { written: 'text', about: 'characters, compared exactly: `"Graz"`' },
  money: { written: 'money', about: 'an amount in the policy’s currency, with up to six decimals: `2.50 usd`' },
  tokens: { written: 'tokens', about: 'a number of tokens: `2_000 tokens`' },
  bytes: { written: 'bytes', about: 'a length: `512 bytes`, `64 kib`, `2 mb`' },
  duration: {
    written: 'duration',
    about: 'a length of time: `90 seconds`, `4 hours`, `5 years`; a month is 30 days, a year 365',
  },
  time: {
    written: 'time',
    about: 'an instant: `2026-12-31 09:00`, in the policy’s time zone; a date alone begins at 00:00',
  },
  date: { written: 'date', about: 'a day: `2026-12-31`' },
  content: { written: 'text', about: 'the text of an event, which only `contains` may ask' },
  collection: { written: '—', about: 'several things, which only `some` and `every` may ask: `prompt.messages`' },
  enum: { written: 'NAME', about: 'a member of a declared enum' },
  set: { written: 'set of text', about: 'a set of texts or of members of an enum: `{"staff", "guests"}`' },
};
