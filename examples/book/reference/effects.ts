/** What each effect does, in words, with an example. An effect without its entry does not compile. */
import type { EffectClause } from '../../../dsl/syntax-tree.ts';
import type { Described } from './declarations.ts';

export const EFFECTS: { readonly [K in EffectClause['kind']]: Described } = {
  allow: {
    short: 'lets the event pass where the default is to deny',
    about:
      'Needed where the policy says `deny` by default. On an event that is allowed anyway it would change nothing, and is an error. A rule that denies wins over every rule that allows.',
    example:
      'rule staff_store "Staff put documents into the store"\n  on ingest into files\n  where caller.groups contains "staff"\n  allow\n',
  },
  deny: {
    short: 'refuses the event, with a reason',
    about:
      'The caller gets the text as the reason. Say what to do now: the reader is a person in the middle of their work. On a prompt it may not depend on the model, which is chosen later: say with `use only models where` which may be used. A denied completion breaks off.',
    example:
      'rule no_keys "Keys are never sent"\n  on prompt\n  where text contains any of (aws_key, api_key)\n  deny "The prompt contains a key. Remove it and send the request again"\n',
  },
  useOnly: {
    short: 'narrows the models that may answer',
    about:
      'Of the models of the catalog, those stay for which the condition holds. Several rules narrow together. A route then takes its first choice among what is left; where nothing is left the request is denied, and the answer names the rules that took the models away.',
    example:
      'rule stay_inside "Confidential prompts stay inside"\n  on prompt\n  where prompt.classification is at least confidential\n  use only models where model.site is inside\n',
  },
  require: {
    short: 'asks something of a document before it is stored',
    about: 'The document is stored only where the condition holds.',
    example:
      'rule labelled "Every document has a level"\n  on ingest into files\n  require chunk.level is at most confidential\n',
  },
  buffer: {
    short: 'holds an answer back until it is complete',
    about:
      'Without it a streamed answer goes on as it comes, held back only as far as a value might still begin. With it nothing is shown before all of it was judged.',
    example: 'rule whole "Answers are judged whole"\n  on completion\n  buffer\n',
  },
  allowChunk: {
    short: 'which chunks may be found',
    about:
      'A chunk is found where some rule allows it and none withholds it. The condition becomes a part of the query, so that the store itself leaves out the rest.',
    example:
      'rule readers "A chunk is found by its readers"\n  on retrieval from files\n  allow chunk where chunk.readers overlaps caller.groups\n',
  },
  withholdChunk: {
    short: 'which chunks are not found, whoever allows them',
    about:
      'Takes away from what is allowed: a chunk is withheld unless the condition holds. The caller is not told that there was one.',
    example:
      'rule levels "No chunk above confidential"\n  on retrieval from files\n  withhold chunk unless chunk.level is at most confidential\n',
  },
  keepNewest: {
    short: 'of several versions only the newest is found',
    about:
      'Of the chunks with the same value of one attribute only those with the greatest of the other are found, even if only an older one would match the query.',
    example:
      'rule newest "Only the newest version of a file"\n  on retrieval from files\n  keep newest chunk.version for each chunk.name\n',
  },
  redact: {
    short: 'replaces what a detector finds',
    about: `Every hit of the detectors is replaced before the text goes on. \`placeholder\` puts a name there that the reply to this request turns back, so that the model works with it and the user never sees it. \`mask\` puts a name there for good.
\`remove\` leaves nothing. Redactions of several rules are joined: what hides more is done.`,
    example:
      'rule hide "Account numbers leave as placeholders, cards as masks"\n  on prompt\n  where model.site is outside\n  redact iban as placeholder\n  redact payment_card as mask\n',
  },
  dropCall: {
    short: 'takes a tool call out of an answer',
    about: 'The call does not reach the application; the rest of the answer does.',
    example:
      'rule large_transfers "No large transfers by a model"\n  on tool call to transfer\n  where tool.amount is above 10_000 usd\n  drop call\n',
  },
  setField: {
    short: 'sets a field of the request',
    about: 'Writes a field of the request on its way to the model, whatever the client wrote there.',
    example: 'rule not_stored "The provider stores nothing"\n  on prompt\n  set prompt.store to false\n',
  },
  record: {
    short: 'keeps the exchange for a time',
    about:
      'Keeps what the exchange says, masked, for the time given, and deletes it then. A month is 30 days and a year 365. On a prompt, one whose record cannot be kept is denied. A rule on completions or on exchanges comes too late for that: its record may be lost, which is counted.',
    example:
      'rule kept "Exchanges are kept for five years, without account numbers"\n  on prompt\n  where model.site is outside\n  redact iban as mask\n  record exchange for 5 years\n',
  },
  hold: {
    short: 'waits for people to approve',
    about: 'The request waits until so many of the reviewers have approved it, or the time is up.',
    example:
      'rule four_eyes "Two lawyers look first"\n  on prompt\n  where text contains iban\n  hold for review by 2 of lawyers up to 4 hours else deny\n',
  },
  limitTo: {
    short: 'limits the length of the answer',
    about:
      'Lowers the number of tokens that the request asks for, if it asks for more or for none. Only `prompt.output_tokens` can be limited. Of several limits the smallest counts.',
    example: 'rule short "Answers are short"\n  on prompt\n  limit prompt.output_tokens to 300 tokens\n',
  },
  tag: {
    short: 'marks what happens, for others to read',
    about: 'A name and a value in the decision and, on ingest, in the metadata of the chunk.',
    example: 'rule unreviewed "What comes in is marked"\n  on ingest into files\n  tag reviewed = false\n',
  },
  notify: {
    short: 'tells somebody',
    about:
      'Tells a recipient that the rule has fired, and how often: at the end of the five minutes in which it did, by a signed webhook, never on the way of the request. What is told holds nothing of an exchange.',
    example: 'rule tell "The desk hears of account numbers"\n  on prompt\n  where text contains iban\n  notify desk\n',
  },
  sample: {
    short: 'shows some requests to reviewers',
    about:
      'Puts a share of the exchanges, prompt and reply, before reviewers, drawn by an id that no client chooses. What they see is masked, as far as detectors that the policy mentions find it; nothing waits for it, and what is denied is drawn too.',
    example:
      'rule one_in_fifty "One in fifty is looked at, without account numbers"\n  on prompt\n  sample 2 percent for review by lawyers\n\nrule hide\n  on completion\n  redact iban as mask\n',
  },
};
