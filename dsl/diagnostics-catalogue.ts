/**
 * Every diagnostic there is: code, title, explanation. `writ check --explain` and the reference are made of this table,
 * and each code has a snapshot in `test/diagnostics`. E01 syntax, E02 names, E03 types, E04 rules, E05 other
 * declarations, E06 tests, E08 found while compiling, E09 not yet enforced; W warnings.
 */

export type CatalogueEntry = { readonly title: string; readonly explanation: string };

const NOT_ENFORCED =
  'The form is checked, and nothing enforces it yet. `build` refuses it, so that no rule is silently dropped; with `--allow-unenforced` such a rule denies.';

export const DIAGNOSTICS = {
  E0101: {
    title: 'a character that the language does not have',
    explanation:
      'Names are made of letters, digits and `_`. Texts stand in plain double quotes, patterns in backticks. Quotes and dashes that a word processor made are the usual cause.',
  },
  E0102: {
    title: 'a text without its closing quote',
    explanation: 'A text ends on the line on which it began. Write `\\n` for a line break in it.',
  },
  E0103: { title: 'a text that is too long', explanation: 'A text has at most 4 KiB.' },
  E0104: {
    title: 'a file that is too large',
    explanation: 'A file has at most 1 MiB. A policy may be spread over the files of a folder.',
  },
  E0105: {
    title: 'nested too deeply',
    explanation: 'Braces and parentheses nest at most 32 levels. A `term` gives a part of a condition a name.',
  },
  E0106: {
    title: 'an unknown declaration',
    explanation:
      'A line that begins in column 1 begins a declaration: `rule`, `model`, `budget` and so on, or `NAME = a | b` for an enum.',
  },
  E0107: {
    title: 'a clause in column 1',
    explanation: 'The clauses of a declaration are indented; only declarations begin in column 1.',
  },
  E0108: {
    title: 'a declaration that does not begin in column 1',
    explanation: 'Declarations begin in column 1, so that a missing brace costs one error and not forty.',
  },
  E0109: { title: 'something else was expected', explanation: 'The words before do not lead to this one.' },
  E0110: { title: 'a missing brace or parenthesis', explanation: 'Every `{` needs its `}` and every `(` its `)`.' },
  E0111: {
    title: 'a reserved word as a name',
    explanation: 'Words that begin clauses, and words of conditions, cannot be names.',
  },
  E0112: {
    title: '`and` and `or` mixed without parentheses',
    explanation: 'Readers differ on which binds tighter, so the language does not choose: write the parentheses.',
  },
  E0113: { title: 'a clause that does not belong here', explanation: 'Each declaration takes its own clauses.' },
  E0114: {
    title: 'an unknown escape',
    explanation: 'The escapes in a text are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`.',
  },
  E0201: { title: 'an unknown name', explanation: 'The name is not declared in this folder.' },
  E0202: { title: 'an unknown attribute', explanation: 'What it belongs to has no attribute of this name.' },
  E0203: {
    title: 'declared twice',
    explanation:
      'Two declarations have the same name. Rules, budgets, rates and routes share their names, since a decision reports them.',
  },
  E0204: { title: 'a name that is built in', explanation: 'Built-in names cannot be declared again.' },
  E0205: {
    title: 'a term that leads back to itself',
    explanation: 'A term is replaced by its text, so it cannot contain itself.',
  },
  E0206: {
    title: 'a detector group that leads back to itself',
    explanation: 'A group is the list of its detectors, so it cannot contain itself.',
  },
  E0207: {
    title: 'a fact that this event does not have',
    explanation: 'Each event has its own facts; the reference has a table.',
  },
  E0208: {
    title: 'an unknown unit',
    explanation: 'Units are tokens, bytes, durations, percent, requests, and currencies as three lower-case letters.',
  },
  E0209: {
    title: 'not a member of this enum',
    explanation: 'An enum has exactly the members that its declaration lists.',
  },
  E0211: {
    title: 'a condition that is too large',
    explanation: 'Once its terms are substituted, a condition has at most 10,000 parts.',
  },
  E0301: { title: 'two types that cannot be compared', explanation: 'Both sides of a comparison have the same type.' },
  E0302: { title: 'a value with the wrong unit', explanation: 'Amounts carry their unit, and units are never mixed.' },
  E0303: {
    title: 'a number that is not exact here',
    explanation: 'Money has six decimals, decimals their declared digits; what does not fit is not rounded.',
  },
  E0304: { title: 'a number out of range', explanation: 'Integers hold at most 2^53−1, and some places less.' },
  E0305: {
    title: 'an order where there is none',
    explanation: '`at least`, `at most`, `above` and `below` need numbers, times or an enum declared with `<`.',
  },
  E0306: {
    title: 'an optional attribute used without `is known`',
    explanation:
      'An optional attribute may have no value. Say what holds then: `X is known and …`, or `X is not known or …`.',
  },
  E0307: {
    title: '`is known` on an attribute that always is',
    explanation: 'An attribute that is required, or has an `else`, is always known.',
  },
  E0308: {
    title: '`contains` that cannot be',
    explanation: 'Text contains detectors or texts; a set contains members.',
  },
  E0309: { title: 'a set was expected', explanation: '`overlaps` and `subset of` compare two sets of one type.' },
  E0310: { title: 'not true or false', explanation: 'A condition that is a name alone must be a `bool` or a `term`.' },
  E0311: { title: 'a malformed number', explanation: 'Underscores stand between digits: `128_000`.' },
  E0312: { title: 'not a date or time', explanation: 'Dates are `2026-12-31`, times of day `09:00`.' },
  E0313: {
    title: 'a condition for guarantees only',
    explanation: '`is unredacted` and `is approved by` speak of what was sent, which only a `guarantee` can.',
  },
  E0314: {
    title: 'not a collection',
    explanation: '`some` and `every` run over `prompt.messages`, `completion.tool_calls` and `retrieval.chunks`.',
  },
  E0315: { title: 'not a time', explanation: '`is in hours` is asked of `now` or of a `time`.' },
  E0316: { title: 'a list of another type', explanation: 'The list holds values of another type than the attribute.' },
  E0317: { title: 'an attribute where a value is needed', explanation: 'Here the value is written out.' },
  E0318: {
    title: 'not a type',
    explanation:
      'Types are bool, int, decimal, text, money, tokens, bytes, duration, time, date, the enums, and sets of them.',
  },
  E0401: {
    title: 'an effect that this event does not have',
    explanation: 'A table in the reference lists the effects of each event.',
  },
  E0402: {
    title: 'an `allow` that does nothing',
    explanation:
      'The event is allowed by default, so an `allow` changes nothing; `unless` on the denying rule is what lets an exception through.',
  },
  E0403: {
    title: 'a `deny` that reads the model',
    explanation:
      'A denial cannot depend on the model, which is chosen among those that are left: say which models may be used.',
  },
  E0404: {
    title: 'a `redact` or a budget that reads the class after redaction',
    explanation:
      'What is redacted decides `prompt.sent_classification`, so it cannot depend on it. Nor can whether a budget applies, because each candidate model has a class of its own.',
  },
  E0405: { title: 'a rule without an effect', explanation: 'A rule does something: allow, deny, redact and so on.' },
  E0406: { title: 'a clause written twice', explanation: 'The clause may stand once.' },
  E0407: { title: 'a clause is missing', explanation: 'The declaration needs it.' },
  E0408: {
    title: 'an event without such a place',
    explanation: 'Only `retrieval` and `ingest` name a store, and only `tool call` a tool.',
  },
  E0409: { title: 'too many reviewers or none', explanation: '`hold` needs at least 1 approval and at most 16.' },
  E0410: { title: 'an attribute that cannot be limited', explanation: 'Only `prompt.output_tokens` can be limited.' },
  E0411: { title: 'dates in the wrong order', explanation: 'The end comes before the beginning.' },
  E0412: {
    title: 'a rule that cannot be waived',
    explanation: 'A waiver needs its rule to say `waivable by`, so that the rule’s readers know of it.',
  },
  E0413: {
    title: '`keep newest` on something else',
    explanation:
      'The version is a number, a time or an ordered enum of the chunk, and what it is a version of is another attribute of the chunk.',
  },
  E0414: {
    title: 'a fact that is known only later',
    explanation: 'Facts come first, then classes, then the model, then effects; each reads only what comes before it.',
  },
  E0415: {
    title: 'a waiver cannot lift half of a rule',
    explanation:
      'A waiver lifts what its rule narrows and never what it allows. A rule that allows, and that also denies, redacts or keeps the newest, is written as two rules, of which the second is waived.',
  },
  E0426: {
    title: 'pseudonyms within something else',
    explanation:
      'A pseudonym is the same for equal values within an attribute of the caller, or, on retrieval, of the chunk. What a client writes itself would let it choose which values look alike.',
  },
  E0501: {
    title: 'no `policy`',
    explanation: 'A folder has one `policy` with its currency, time zone, defaults and what happens on failure.',
  },
  E0502: { title: 'two `policy` blocks', explanation: 'A folder of files is one policy.' },
  E0503: { title: 'an entry of `policy` is missing', explanation: 'Nothing here has a silent default.' },
  E0504: { title: 'an enum of one, or of too many', explanation: 'An enum has 2 to 64 members.' },
  E0505: { title: 'a member twice', explanation: 'Each member of an enum stands once.' },
  E0506: {
    title: '`classification` is not an ordered enum',
    explanation:
      'Classes are raised and compared, so `classification = public < internal < …` is ordered, and the base is one of it.',
  },
  E0507: {
    title: 'a setting of the model is missing',
    explanation: 'Every model says its provider, prices, context and all attributes of `models`.',
  },
  E0508: {
    title: 'an unknown setting',
    explanation: 'Models have the built-in settings and the attributes of `models`.',
  },
  E0509: { title: 'an unknown provider', explanation: 'The provider says which protocol the model speaks.' },
  E0510: {
    title: 'an unknown kind of store',
    explanation:
      'The kind says which protocol the store speaks. A store whose protocol is not known here cannot be governed, so it is not passed.',
  },
  E0511: {
    title: 'an attribute without its source',
    explanation:
      'Attributes of the caller come from claims, of chunks from metadata, of tools from arguments; those of models are in the catalog.',
  },
  E0512: { title: '`optional` with `else`', explanation: 'An attribute with an `else` always has a value.' },
  E0513: {
    title: 'a pattern that cannot be read',
    explanation: 'Patterns are characters, classes, groups, alternatives and counted repetition.',
  },
  E0514: {
    title: 'a pattern without bound',
    explanation: 'A match has at most 256 characters, so repetition is counted.',
  },
  E0515: {
    title: 'a pattern that matches nothing',
    explanation: 'A pattern that matches the empty text would match everywhere.',
  },
  E0516: {
    title: '`near` out of bounds',
    explanation: '`near` takes 1 to 32 words of up to 64 characters, within 1 to 256 characters.',
  },
  E0517: {
    title: 'an example that the pattern does not match',
    explanation: 'Examples are what the detector finds; they become witnesses and tests.',
  },
  E0519: { title: 'two for one', explanation: 'Only one may exist for this.' },
  E0520: {
    title: 'a percentage out of order',
    explanation: 'Percentages are whole numbers from 1 to 100 in ascending order.',
  },
  E0521: {
    title: 'an unknown period',
    explanation:
      'Budgets run per hour, day, week, month or year; rates per minute, hour or day. A rate per second does not exist: it counts over all gateways, and what each may let through cannot be handed out within a second.',
  },
  E0522: { title: 'an unknown time zone', explanation: 'Time zones have IANA names such as `Europe/Berlin`.' },
  E0523: { title: 'not a currency', explanation: 'A currency is three lower-case letters, such as `usd`.' },
  E0524: { title: 'not a hash', explanation: 'Hashes are written `sha256:` and 64 hexadecimal digits.' },
  E0525: {
    title: 'too many declarations',
    explanation: 'A policy has at most 64 models, 4,096 rules and 256 of any other declaration.',
  },
  E0526: { title: 'hours that never are', explanation: 'A range of hours ends after it starts.' },
  E0527: { title: 'a caller from a file', explanation: 'The attributes of `caller` are written here.' },
  E0528: { title: 'an unknown channel', explanation: 'Recipients are reached by `webhook`.' },
  E0529: {
    title: 'not a tool’s name',
    explanation: 'A tool is named as on the wire; one `*` may stand at the end for any ending.',
  },
  E0530: {
    title: 'accounts of what is not verified',
    explanation:
      'A budget or a rate `for each` counts for each value of a caller’s attribute, which Envoy has verified. Of what a request says itself a client would make as many accounts as it likes.',
  },
  E0601: { title: 'no event before', explanation: 'An expectation speaks of the latest event before it.' },
  E0602: { title: 'an expectation that cannot be', explanation: 'The expectation does not fit the event before it.' },
  W0210: { title: 'declared and never used', explanation: 'Nothing refers to this declaration.' },
  W0301: {
    title: 'a number that the fact never reaches',
    explanation: '`prompt.complexity` is a score from 0 to 1000, so a comparison with more is always true or never.',
  },
  W0401: {
    title: 'a detector redacted in two ways in one rule',
    explanation:
      'Redactions of one value are joined, and what hides more is done: removal before a mask, a mask before one that keeps a part, that before a year, a year before a pseudonym, a pseudonym before a placeholder.',
  },
  W0402: {
    title: 'a placeholder in an answer',
    explanation:
      'The gateway turns back the placeholders that it put into the same exchange’s prompt. A value that a model says itself has nobody to be turned back for, so a placeholder there is a mask that looks like a promise.',
  },
  W0403: {
    title: 'an event that never happens',
    explanation:
      'Prompts and completions are of the models that the policy declares, retrieval and ingest of its stores. Without one the rule says nothing.',
  },
  W0404: {
    title: 'a store in which nothing is found',
    explanation:
      'With `default retrieval: deny` a chunk passes only where some rule allows it; `withhold chunk` and `keep newest` take away from what is allowed.',
  },
  E0416: {
    title: 'an imported file that has changed',
    explanation:
      'An import names the hash of the file that was read when it was written. A file that has changed is read again, and pinned anew, before anything is built on it.',
  },
  E0417: {
    title: 'an import that leads nowhere',
    explanation:
      'An import names a `.writ` file outside of the policy’s folder, by a path from the file that imports it. An imported file imports nothing itself.',
  },
  E0418: {
    title: 'something that widens what was imported',
    explanation:
      'What is imported is a ceiling: whoever imports may deny, redact, hold, limit and the like. Anything else needs a `delegate` in a file that is imported, and then holds within its condition.',
  },
  E0419: {
    title: 'a `policy` that is wider than the imported one',
    explanation:
      'The `policy` of whoever imports may deny more by default, and nothing less; currency and time zone are the same.',
  },
  W0405: {
    title: 'a waiver that ends within two weeks',
    explanation: 'After its last day a waiver lifts nothing, and those whom it covered are held to its rules again.',
  },
  W0406: {
    title: 'something that has ended',
    explanation: 'After its last day a waiver or a rule does nothing. It stands in the file and may be taken out.',
  },
  W0407: {
    title: 'a rate of a day to come',
    explanation:
      'Of several rates for one pair of currencies the one of the latest day counts, and it counts as soon as the policy that declares it is in force: a policy means the same on every day.',
  },
  W0408: {
    title: 'prompts without receipts',
    explanation:
      'A search answers with a receipt of the highest class that it handed out, and a prompt that carries it inherits that class. A client that sends the text without the receipt has a prompt of the base class, and of what the other `classify` find in it.',
  },
  W0409: {
    title: 'a text in which nothing is hidden from its readers',
    explanation:
      'What is held, sampled or recorded is read by people or kept on a disk. The values that the detectors of the policy find are hidden in it; a policy that names none hides nothing.',
  },
  W0501: {
    title: 'a budget of models without a price',
    explanation: 'Budgets count what the models cost. Where every price is zero the budget is never touched.',
  },
  W0601: { title: 'a test that expects nothing', explanation: 'A test without an `expect` cannot fail.' },
  E0801: {
    title: 'a detector that cannot be compiled',
    explanation:
      'Detectors become automata of a bounded size, so that scanning never slows down. A pattern that needs more is written more narrowly, or as several detectors.',
  },
  E0802: {
    title: 'a rule that cannot be decided yet',
    explanation:
      'The rule is well formed, and it compares things that no fact holds yet. `build` refuses it, so that no rule is silently dropped; with `--allow-unenforced` it denies.',
  },
  E0803: {
    title: 'a field that cannot be set so',
    explanation:
      'A rule may `set` those fields of a provider’s wire format that a protocol lists, to values that it takes there. On a protocol without the field nothing is set; where the field takes other values, the request is denied.',
  },
  E0804: {
    title: 'a field that is set to two values',
    explanation:
      'Rules have no order, so of two values neither can win. Conditions exclude each other where one says what the other says is not, or where they compare one thing with two different values.',
  },
  E0901: {
    title: '`hold for review` of a completion or tool call is checked but not yet enforced',
    explanation: NOT_ENFORCED,
  },
  E0927: { title: 'a detector that matches a list is checked but not yet enforced', explanation: NOT_ENFORCED },
} as const satisfies { readonly [code: `${'E' | 'W'}${number}`]: CatalogueEntry };

export type DiagnosticCode = keyof typeof DIAGNOSTICS;
