/** Telephone numbers. */
import type { Boundary, Context, Detector } from './detector.ts';

const serial = { before: 'serial', after: 'serial' } as const satisfies { before: Boundary; after: Boundary };

const digitsInContext = '(?:[0-9]|[ ./-][0-9(]|\\) ?[0-9]){5,}[0-9]';
const context: Context = {
  words: [
    'phone',
    'telephone',
    'tel',
    'call',
    'mobile',
    'cell',
    'fax',
    'phone number',
    'whatsapp',
    'sms',
    'text me at',
    'telefon',
    'tel nr',
    'handy',
    'mobil',
    'anrufen',
    'rückruf',
    'téléphone',
    'portable',
    'teléfono',
    'telefono',
    'telefoon',
  ],
  within: 24,
  where: 'before',
};

export const phone: Detector = {
  name: 'phone',
  title: 'telephone number',
  about:
    'International numbers (ITU-T E.164) with `+` or `00`; American, British, French and German national forms with their usual separators; other digits in groups only after words such as tel or call. Groups are not joined over tabs and line ends: a telephone number has no check digit that would tell it from a list.',
  forms: [
    // +49 (0)30 123456-78
    {
      pattern: '\\+[1-9](?:[ ./-]?[0-9]|[ .-]?\\([0-9]+\\))+[0-9]',
      longest: 40,
      boundary: { before: 'word', after: 'word' },
      validator: 'phone',
    },
    { pattern: '00[1-9][0-9]{0,2}[ -](?:[0-9]{1,5}[ /-]?){1,4}[0-9]{3,8}', boundary: serial, validator: 'phone' },
    // (555) 234-5678, 555-234-5678, 1 555.234.5678
    { pattern: '\\([2-9][0-9]{2}\\) ?[2-9][0-9]{2}[ .-][0-9]{4}', boundary: { before: 'word', after: 'serial' } },
    { pattern: '(?:1[ .-])?[2-9][0-9]{2}(?:-[2-9][0-9]{2}-|\\.[2-9][0-9]{2}\\.)[0-9]{4}', boundary: serial },
    // 020 7946 0958, 07700 900123
    { pattern: '0[1-3][0-9]{1,2} [0-9]{3,4} [0-9]{4}|07[0-9]{3} (?:[0-9]{6}|[0-9]{3} [0-9]{3})', boundary: serial },
    // 01 23 45 67 89
    { pattern: '0[1-9](?: [0-9]{2}){4}|0[1-9](?:\\.[0-9]{2}){4}', boundary: serial },
    // 030/1234567
    { pattern: '0[1-9][0-9]{1,4}/[0-9]{5,8}', boundary: serial },
    { pattern: `[0-9]${digitsInContext}`, longest: 24, boundary: serial, validator: 'phone_national', context },
    { pattern: `\\([0-9]${digitsInContext}`, longest: 24, boundary: serial, validator: 'phone_national', context },
  ],
  examples: [
    'call ⟦+49 30 12345678⟧ today',
    '⟦+1 (555) 234-5678⟧, thanks',
    '⟦+44 (0)20 7946 0958⟧.',
    'reach me: ⟦+14155552671⟧',
    'fax ⟦0049 30 1234567⟧',
    'my number is ⟦(415) 555-2671⟧',
    'ring ⟦415-555-2671⟧ or ⟦415.555.2671⟧',
    'London ⟦020 7946 0958⟧, mobile ⟦07700 900123⟧',
    'Paris ⟦01 23 45 67 89⟧',
    'Berlin ⟦030/1234567⟧',
    'Tel. ⟦030 1234567⟧',
    'phone_number: ⟦4155552671⟧',
    'Telefon: ⟦0171-1234567⟧ ab 9 Uhr',
    'call ⟦555-2671⟧ now',
    '⟦+33 6 12 34 56 78⟧',
    '电话⟦+86 138 0013 8000⟧谢谢',
  ],
  lookAlikes: [
    'order 4155552671',
    'order number 123-4567-8901',
    'timestamp 1712345678',
    'call at 1712345678',
    'version 1.2.3.4',
    'call on 2024-03-05 or 05.03.2024',
    'id 550e8400-e29b-41d4-a716-446655440000',
    '12345678901234567890',
    'pi is 3.14159265358979',
    'a+4930123456',
    'phone model 3310',
    'invoice 2024/000123',
    'call 192.168.1.1',
    '+12',
    'price 1.234.567,89',
  ],
};
