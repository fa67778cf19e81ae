/** Email addresses. */
import type { Detector } from './detector.ts';

export const email: Detector = {
  name: 'email',
  title: 'email address',
  about:
    'Addresses as RFC 5321 section 4.1.2 writes them with a dot-string before the `@` and a domain name behind it; no quoted local parts, no addresses in brackets, ASCII only.',
  forms: [
    {
      pattern:
        "[A-Za-z0-9_%+*=^~#&'!?/{}|$-][A-Za-z0-9_%+*=^~#&'!?/{}|$.-]{0,63}@(?:[A-Za-z0-9-]+\\.)+(?:[A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,30})",
      longest: 320,
      boundary: { before: 'word', after: 'word' },
      validator: 'email',
    },
  ],
  examples: [
    'write to ⟦anna.schmidt@example.com⟧ today',
    'Contact: <⟦j.doe+news@mail.example.co.uk⟧>',
    'mailto:⟦x_1@a-b.example⟧.',
    '"email":"⟦SALES@EXAMPLE.ORG⟧",',
    "⟦o'brien@example.ie⟧; ⟦li@xn--fsqu00a.xn--0zwm56d⟧",
    '联系⟦wang@example.cn⟧谢谢',
    'from ⟦a@b.co⟧, to ⟦c@d.io⟧.',
  ],
  lookAlikes: [
    'follow @anna_schmidt',
    'npm install lodash@4.17.21 and react@18.2.0',
    'user@localhost',
    'logo@2x.png and icon@3x.webp',
    'a@b',
    'total @ 4.50 each',
    'foo@ @bar.com',
    'name@.com and name@-.com',
    'x@y..z',
  ],
};
