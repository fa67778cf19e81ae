/** Payment card numbers. */
import type { Boundary, Detector, Form } from './detector.ts';

const boundary = { before: 'word', after: 'word' } as const satisfies { before: Boundary; after: Boundary };
/** Between groups: a blank, a point or a dash, or so many of them as people write (` - `, two blanks). */
const GAP = '[ .-]{1,3}';
const form = (pattern: string, longest: number): Form => ({ pattern, longest, boundary, validator: 'payment_card' });

export const paymentCard: Detector = {
  name: 'payment_card',
  title: 'payment card number',
  about:
    'Numbers of Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay and Maestro with a right check digit (Luhn), in one piece or in the groups that are printed on cards, with blanks, points or dashes between them.',
  forms: [
    form('[2-6][0-9]{12,}', 23),
    form(`[2-6][0-9]{3}(?:${GAP}[0-9]{4}){2}(?:${GAP}[0-9]{4}(?:${GAP}[0-9]{1,3})?|${GAP}[0-9])`, 31),
    form(`3[0-9]{3}${GAP}[0-9]{6}${GAP}[0-9]{4,5}`, 21),
    form(`6[0-9]{5}${GAP}[0-9]{13}`, 22),
  ],
  examples: [
    'card ⟦4111111111111111⟧ please',
    'My card is ⟦4111 1111 1111 1111⟧.',
    'pay with ⟦5555-5555-5555-4444⟧ today',
    'amex ⟦3782 822463 10005⟧, expires 04/29',
    'two blanks ⟦4111  1111  1111  1111⟧',
    'points ⟦4111.1111.1111.1111⟧.',
    'spaced ⟦4111 - 1111 - 1111 - 1111⟧',
    '⟦6011111111111117⟧',
    'JCB:⟦3530111333300000⟧',
    'diners ⟦3056 930902 5904⟧',
    'unionpay ⟦6200000000000005⟧',
    'maestro ⟦6759 6498 2643 8453⟧',
    'mastercard two-series ⟦2223003122003222⟧',
    '12 ⟦4111 1111 1111 1111⟧',
    '⟦4111 1111 1111 1111⟧ 12',
    '卡号⟦4111111111111111⟧谢谢',
  ],
  lookAlikes: [
    'order 4111111111111112',
    'tracking 1Z9999999999999999 and 9400110200881234567890',
    'timestamp 1712345678901',
    'id 550e8400-e29b-41d4-a716-446655440000',
    'sha 4111111111111111a',
    'phone +49 30 12345678',
    'digits 41111111111111111111111',
    'matrix 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
    'isbn 9783161484100',
    'zeros 0000 0000 0000 0000',
  ],
};
