/** International bank account numbers. */
import type { Detector } from './detector.ts';

/** Between groups of four; the check digits tell what no separator could. */
const GAP = '[ ./_\t\r\n-]{0,3}';

export const iban: Detector = {
  name: 'iban',
  title: 'international bank account number',
  about:
    'IBANs of every registered country (ISO 13616) with that country’s length and right check digits, in one piece or in groups of four, with blanks, dashes, points, slashes, underscores, tabs or line ends between them.',
  forms: [
    {
      pattern: `[A-Za-z]{2}[0-9]{2}(?:${GAP}[A-Za-z0-9]{4})+(?:${GAP}[A-Za-z0-9]{1,3})?`,
      longest: 58,
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
    'dashes ⟦DE89-3704-0044-0532-0130-00⟧.',
    'points ⟦DE89.3704.0044.0532.0130.00⟧, two blanks ⟦DE89  3704  0044  0532  0130  00⟧',
    'wrapped ⟦DE89 3704 0044\r\n0532 0130 00⟧ here',
    'columns ⟦DE89\t3704\t0044\t0532\t0130\t00⟧',
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
