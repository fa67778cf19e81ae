/** E01 as well: what people write who know other languages, or English. */
import type { Case } from './check-case.ts';

const rule = (clauses: string, event = 'prompt'): string => `rule r\n  on ${event}\n  ${clauses}\n`;

/** With what the first fix makes of it; the result has no error. */
export const MENDED_SLIPS: readonly (readonly [written: string, meant: string])[] = [
  ['rate b\n  limit 100 per minute\n', 'rate b\n  limit 100 requests per minute\n'],
  [rule('limit prompt.output_tokens to 500'), rule('limit prompt.output_tokens to 500 tokens')],
  [
    rule('limit prompt.output_tokens to 500\n  cites "A"'),
    rule('limit prompt.output_tokens to 500 tokens\n  cites "A"'),
  ],
  ['route r\n  for requested auto\n  prefer big\n', 'route r\n  for requested "auto"\n  prefer big\n'],
  [
    rule('where not caller.branch is graz and caller.trusted\n  deny'),
    rule('where not (caller.branch is graz) and caller.trusted\n  deny'),
  ],
  [
    rule('where text contains all of (iban, "falcon")\n  deny'),
    rule('where (text contains iban and text contains "falcon")\n  deny'),
  ],
  [rule('where caller.branch = graz\n  deny'), rule('where caller.branch is graz\n  deny')],
  [
    rule('where caller.branch==graz and caller.id == "x"\n  deny'),
    rule('where caller.branch is graz and caller.id is "x"\n  deny'),
  ],
  [rule('where prompt.complexity < 400\n  deny'), rule('where prompt.complexity is below 400\n  deny')],
  [rule('where prompt.complexity <= 400\n  deny'), rule('where prompt.complexity is at most 400\n  deny')],
  [rule('where prompt.complexity > 400\n  deny'), rule('where prompt.complexity is above 400\n  deny')],
  [rule('where prompt.complexity>=400\n  deny'), rule('where prompt.complexity is at least 400\n  deny')],
  [rule('where caller.branch != graz\n  deny'), rule('where caller.branch is not graz\n  deny')],
  [
    rule('where caller.trusted && caller.branch is graz\n  deny'),
    rule('where caller.trusted and caller.branch is graz\n  deny'),
  ],
  [
    rule('where caller.trusted || caller.branch is graz\n  deny'),
    rule('where caller.trusted or caller.branch is graz\n  deny'),
  ],
  [rule('where caller.since is after 2026-01-01\n  deny'), rule('where caller.since is above 2026-01-01\n  deny')],
  [rule('where caller.since is before 2026-01-01\n  deny'), rule('where caller.since is below 2026-01-01\n  deny')],
  [rule('where prompt.complexity is more than 5\n  deny'), rule('where prompt.complexity is above 5\n  deny')],
  [rule('where prompt.complexity is less than 5\n  deny'), rule('where prompt.complexity is below 5\n  deny')],
  [
    rule('where caller.groups does not contain "a" and caller.trusted\n  deny'),
    rule('where not (caller.groups contains "a") and caller.trusted\n  deny'),
  ],
  [rule('where caller.branch is in (graz, linz)\n  deny'), rule('where caller.branch is one of (graz, linz)\n  deny')],
  [rule('where caller.id is "a" or "b"\n  deny'), rule('where caller.id is one of ("a", "b")\n  deny')],
  [rule('if caller.trusted\n  deny'), rule('where caller.trusted\n  deny')],
  [rule('where caller.trusted\n  block "no"'), rule('where caller.trusted\n  deny "no"')],
  [rule('forbid'), rule('deny')],
  [rule('where caller.branch is graz, linz\n  deny'), rule('where caller.branch is one of (graz, linz)\n  deny')],
  [
    rule('where caller.branch is not one of graz, linz\n  deny'),
    rule('where caller.branch is not one of (graz, linz)\n  deny'),
  ],
  [rule('where text contains iban, email\n  deny'), rule('where text contains any of (iban, email)\n  deny')],
  [rule('where text contians iban\n  deny'), rule('where text contains iban\n  deny')],
  [
    rule('where caller.branch IS graz AND caller.trusted\n  deny'),
    rule('where caller.branch is graz and caller.trusted\n  deny'),
  ],
  ['rule r\n  on prompt:\n  deny\n', 'rule r\n  on prompt\n  deny\n'],
  ['rule r {\n  on prompt\n  deny\n}\n', 'rule r \n  on prompt\n  deny\n\n'],
  ['budget b\n  limit 40 usd a month\n', 'budget b\n  limit 40 usd per month\n'],
  ['budget b\n  limit 4,000 usd per month\n', 'budget b\n  limit 4_000 usd per month\n'],
  ['budget b\n  limit 4.000,50 usd per month\n', 'budget b\n  limit 4_000.50 usd per month\n'],
  [rule('deny\n  effective 01.05.2026'), rule('deny\n  effective 2026-05-01')],
  [rule('redact email, iban as mask'), rule('redact any of (email, iban) as mask')],
  [
    'rule "Cards are masked here"\n  on prompt\n  redact iban as mask\n',
    'rule cards_are_masked "Cards are masked here"\n  on prompt\n  redact iban as mask\n',
  ],
  [
    rule('withhold chunk where chunk.level is secret\n  cites "x"', 'retrieval from files'),
    rule('withhold chunk unless not (chunk.level is secret)\n  cites "x"', 'retrieval from files'),
  ],
];

export const SLIP_CASES: readonly Case[] = [
  ...MENDED_SLIPS.map(([source]): Case => ({ code: /[>&]|!=/.test(source) ? 'E0101' : 'E0109', source })),
  { code: 'E0109', source: 'budget b\n  limit 100 per month\n' },
  // One mistake each, whatever stands between the quotes.
  { code: 'E0101', source: rule('deny ‘Please, don’t’') },
  { code: 'E0101', source: rule("deny 'no email, please'\n  cites “Art. 5”") },
  { code: 'E0101', source: rule('deny\n  effective 5/1/2026') },
  { code: 'E0101', source: 'budget b\n  limit $40 per month\n' },
  { code: 'E0101', source: rule('where caller.groups in ["a"]\n  deny') },
  { code: 'E0109', source: rule('redact as mask') },
  { code: 'E0109', source: rule('deny', 'prompt, completion') },
  { code: 'E0109', source: rule('if caller.branch == graz then\n  redact email, iban as mask\n  cites 5') },
];
