/** Examples of E01 (the text itself) and E02, W02 (names). */
import type { Example } from './example.ts';

export const TEXT_AND_NAME_EXAMPLES = {
  E0101: {
    wrong: 'rule no_accounts\n  on prompt\n  where text contains iban\n  deny “No account numbers, please”\n',
    right: 'rule no_accounts\n  on prompt\n  where text contains iban\n  deny "No account numbers, please"\n',
  },
  E0102: {
    wrong: 'rule no_accounts\n  on prompt\n  where text contains iban\n  deny "No account numbers, please\n',
    right: 'rule no_accounts\n  on prompt\n  where text contains iban\n  deny "No account numbers, please"\n',
  },
  E0103: {
    wrong: `rule closed\n  on prompt\n  where caller.branch is linz\n  deny "${'This branch is closed. '.repeat(180)}"\n`,
    right: 'rule closed\n  on prompt\n  where caller.branch is linz\n  deny "This branch is closed"\n',
  },
  E0104: {
    wrong: `// ${'All rules of all branches, and the notes of every meeting about them. '.repeat(15_000)}\n`,
    right: '// The rules of Graz. Those of Linz and Vienna stand in files of their own, in the same folder.\n',
  },
  E0105: {
    wrong: `term insider = ${'('.repeat(33)}caller.trusted${')'.repeat(33)}\n`,
    right: 'term insider = caller.trusted\n',
  },
  E0106: {
    wrong: 'ruel no_accounts\n  on prompt\n  where text contains iban\n  deny\n',
    right: 'rule no_accounts\n  on prompt\n  where text contains iban\n  deny\n',
  },
  E0107: {
    wrong: 'rule mask_accounts\n  on prompt\n  redact iban as mask\ncites "GDPR Art. 32"\n',
    right: 'rule mask_accounts\n  on prompt\n  redact iban as mask\n  cites "GDPR Art. 32"\n',
  },
  E0108: {
    wrong: 'rule first\n  on prompt\n  deny\n  rule second\n  on completion\n  deny\n',
    right: 'rule first\n  on prompt\n  deny\n\nrule second\n  on completion\n  deny\n',
  },
  E0109: {
    wrong: 'rule mask_accounts\n  on promt\n  redact iban as mask\n',
    right: 'rule mask_accounts\n  on prompt\n  redact iban as mask\n',
  },
  E0110: {
    wrong: 'rule graz_and_linz\n  on prompt\n  where (caller.branch is graz or caller.branch is linz\n  deny\n',
    right: 'rule graz_and_linz\n  on prompt\n  where (caller.branch is graz or caller.branch is linz)\n  deny\n',
  },
  E0111: {
    wrong: 'rule deny\n  on prompt\n  where text contains iban\n  deny\n',
    right: 'rule deny_accounts\n  on prompt\n  where text contains iban\n  deny\n',
  },
  E0112: {
    wrong: 'rule who\n  on prompt\n  where caller.trusted and caller.branch is graz or caller.branch is linz\n  deny\n',
    right:
      'rule who\n  on prompt\n  where caller.trusted and (caller.branch is graz or caller.branch is linz)\n  deny\n',
  },
  E0113: {
    wrong: 'rule inside\n  on prompt\n  use only models where model.site is inside\n  prefer own\n',
    right:
      'rule inside\n  on prompt\n  use only models where model.site is inside\n\nroute own_first\n  for requested any\n  prefer own\n',
  },
  E0114: {
    wrong: 'rule closed\n  on prompt\n  where caller.branch is linz\n  deny "See C:\\policy"\n',
    right: 'rule closed\n  on prompt\n  where caller.branch is linz\n  deny "See C:\\\\policy"\n',
  },
  E0201: {
    wrong: 'rule mask_cards\n  on prompt\n  redact payment_crad as mask\n',
    right: 'rule mask_cards\n  on prompt\n  redact payment_card as mask\n',
  },
  E0202: {
    wrong: 'rule graz\n  on prompt\n  where caller.brnch is graz\n  deny\n',
    right: 'rule graz\n  on prompt\n  where caller.branch is graz\n  deny\n',
  },
  E0203: {
    wrong:
      'rule masks\n  on prompt\n  redact iban as mask\n\nrule masks\n  on completion\n  redact payment_card as mask\n',
    right:
      'rule masks_sent\n  on prompt\n  redact iban as mask\n\nrule masks_answered\n  on completion\n  redact payment_card as mask\n',
  },
  E0204: {
    wrong: 'detector email matches `[a-z]{1,20}@bank\\.example`\n',
    right: 'detector our_email matches `[a-z]{1,20}@bank\\.example`\n',
  },
  E0205: {
    wrong:
      'term insider = colleague\nterm colleague = insider and caller.trusted\n\nrule only_insiders\n  on prompt\n  where not (insider)\n  deny\n',
    right:
      'term colleague = caller.groups contains "staff"\nterm insider = colleague and caller.trusted\n\nrule only_insiders\n  on prompt\n  where not (insider)\n  deny\n',
  },
  E0206: {
    wrong: 'detectors money = iban, accounts\ndetectors accounts = payment_card, money\n',
    right: 'detectors money = iban, accounts\ndetectors accounts = payment_card\n',
  },
  E0207: {
    wrong: 'rule long_answers\n  on prompt\n  where completion.tokens is above 500 tokens\n  deny\n',
    right: 'rule long_answers\n  on completion\n  where completion.tokens is above 500 tokens\n  deny\n',
  },
  E0208: {
    wrong: 'budget all\n  limit 500 dollar per month\n',
    right: 'budget all\n  limit 500 usd per month\n',
  },
  E0209: {
    wrong: 'rule graz\n  on prompt\n  where caller.branch is grazz\n  deny\n',
    right: 'rule graz\n  on prompt\n  where caller.branch is graz\n  deny\n',
  },
  E0211: {
    wrong: `${Array.from({ length: 14 }, (_, n) => `term t${n + 1} = t${n} and not (t${n})`).join('\n')}\nterm t0 = caller.trusted\n\nrule r\n  on prompt\n  where t14\n  deny\n`,
    right: 'term t0 = caller.trusted\n\nrule r\n  on prompt\n  where t0\n  deny\n',
  },
  W0210: {
    wrong: 'term insider = caller.trusted\n',
    right: 'term insider = caller.trusted\n\nrule only_insiders\n  on prompt\n  where not (insider)\n  deny\n',
  },
} as const satisfies { readonly [code: string]: Example };
