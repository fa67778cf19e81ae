/** International bank account numbers. */
import type { Detector } from './detector.ts';

export const iban: Detector = {
  name: 'iban',
  title: 'international bank account number',
  about:
    'IBANs of every registered country (ISO 13616) with that country’s length and right check digits, in one piece or in groups of four.',
  forms: [
    {
      pattern: '[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]{4})+(?: ?[A-Za-z0-9]{1,3})?',
      longest: 42,
      boundary: { before: 'word', after: 'word' },
      validator: 'iban',
    },
  ],
  examples: [
    'IBAN ⟦DE89370400440532013000⟧ please',
    'to ⟦DE89 3704 0044 0532 0130 00⟧ BIC COBADEFFXXX',
    '⟦GB82 WEST 1234 5698 7654 32⟧.',
    'konto ⟦NO9386011117947⟧, danke',
    '⟦MT84MALT011000012345MTLCAST001S⟧',
    '(⟦FR1420041010050500013M02606⟧)',
    'iban: ⟦nl91abna0417164300⟧',
  ],
  lookAlikes: [
    'IBAN DE89370400440532013001',
    'part AB12CDEF3456GH7890',
    'DE8937040044053201300',
    'XX89370400440532013000',
    'ref GB82WEST12345698765433',
    'hash de89aa0b1c2d3e4f5a6b7c8d9e0f',
  ],
};
