/** Payment card numbers. */
import type { Boundary, Detector, Form } from './detector.ts';

const boundary = { before: 'word', after: 'word' } as const satisfies { before: Boundary; after: Boundary };
const alone = { before: 'list', after: 'list' } as const satisfies { before: Boundary; after: Boundary };
/**
 * Between groups, on one line: a blank, a point, a dash, a slash or a `_`, or so many of them as people write (` - `, two
 * blanks).
 */
const GAP = '[ ./_-]{1,3}';
/**
 * Over lines and columns: the same, and tabs and line ends. Numbers stand so in lists and tables, too: there the card
 * must be alone, with no further number over a line's end or a tab before or behind it.
 */
const LINE_GAP = '[ ./_\t\r\n-]{1,4}';
const form = (pattern: string, longest: number): Form => ({ pattern, longest, boundary, validator: 'payment_card' });
const grouped = (gap: string, more: number): readonly Form[] => [
  form(`[2-6][0-9]{3}(?:${gap}[0-9]{4}){2}(?:${gap}[0-9]{4}(?:${gap}[0-9]{1,3})?|${gap}[0-9])`, 19 + 4 * more),
  form(`3[0-9]{3}${gap}[0-9]{6}${gap}[0-9]{4,5}`, 15 + 2 * more),
  form(`6[0-9]{5}${gap}[0-9]{13}`, 19 + more),
];

export const paymentCard: Detector = {
  name: 'payment_card',
  title: 'payment card number',
  about:
    'Numbers of Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay and Maestro with a right check digit (Luhn), in one piece or in the groups that are printed on cards, with blanks, points, dashes, slashes or underscores between them, or over lines and tabs where no other number of a list stands beside it. Digits of every script count, and what nobody sees between them does not. Not found: digits one by one, groups of other sizes, numbers in words.',
  forms: [
    form('[2-6][0-9]{12,}', 23),
    ...grouped(GAP, 3),
    ...grouped(LINE_GAP, 4).map((each) => ({ ...each, boundary: alone })),
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
    'slashes ⟦4111/1111/1111/1111⟧',
    'underscores ⟦4111_1111_1111_1111⟧',
    'emphasis _⟦4111 1111 1111 1111⟧_ and __⟦4111111111111111⟧__',
    'wrapped ⟦4111 1111\n1111 1111⟧ at a line’s end',
    'wrapped ⟦4111-1111-\r\n1111-1111⟧ too',
    'one a line:\n⟦4111\n1111\n1111\n1111⟧\nplease',
    'columns\t⟦4111\t1111\t1111\t1111⟧\tVISA',
    'mixed ⟦4111 1111-1111/1111⟧ and ⟦4111\u00a01111\u20091111\u20111111⟧',
    'paragraphs ⟦4111\u20281111\u20281111\u20281111⟧',
    'bullets ⟦4111•1111·1111‧1111⟧',
    'circled ⟦④①①① ①①①① ①①①① ①①①①⟧',
    'soft ⟦4111\u00ad1111\u200b1111\u20601111⟧',
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
    'years\n2219\n2220\n4111\n1111\n1111\n1111\n2224',
    '3021\r\n4111\r\n1111\r\n1111\r\n1111\r\n3022',
    'row\t7\t4111\t1111\t1111\t1111\t9',
    'part 4111-1111-1111-1112 and 4111/1111/1111',
    'order_4111111111111111 order_4111_1111_1111_1111',
    '2024-11-28T11:00:29.4111 2024/11/28 11:00:29',
    'v4111.1111.1111.1112',
    'uuid 41111111-1111-4111-8111-111111111111',
    'csv 4111,1111,1111,1111',
  ],
};
