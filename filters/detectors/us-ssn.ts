/** Social Security numbers of the United States. */
import type { Detector } from './detector.ts';

export const usSsn: Detector = {
  name: 'us_ssn',
  title: 'US social security number',
  about:
    'Nine digits in groups of three, two and four with dashes, points or spaces; with other separators, over lines, or in one piece only after words such as SSN: they have no check digit. Numbers that are never issued (area 000, 666, 9xx; group 00; serial 0000) are none.',
  forms: [
    {
      pattern: '[0-8][0-9]{2}(?:-[0-9]{2}-| [0-9]{2} | - [0-9]{2} - |\\.[0-9]{2}\\.)[0-9]{4}',
      boundary: { before: 'serial', after: 'serial' },
      validator: 'us_ssn',
    },
    {
      pattern: '[0-8][0-9]{2}[ ./_\t\r\n-]{0,3}[0-9]{2}[ ./_\t\r\n-]{0,3}[0-9]{4}',
      boundary: { before: 'serial', after: 'serial' },
      validator: 'us_ssn',
      context: {
        words: ['ssn', 'social security', 'social security number', 'soc sec', 'social'],
        within: 40,
        where: 'before',
      },
    },
  ],
  examples: [
    'SSN ⟦123-45-6789⟧',
    'ssn: ⟦123 45 6789⟧.',
    'social security number is ⟦123456789⟧',
    'Her_SSN=⟦219099999⟧',
    '(⟦001-01-0001⟧)',
    'spaced ⟦123 - 45 - 6789⟧, points ⟦123.45.6789⟧',
    'SSN ⟦123/45/6789⟧',
    'ssn:\n⟦123\n45\n6789⟧',
    'social security number ⟦123_45_6789⟧',
  ],
  lookAlikes: [
    'SSN 000-12-3456',
    'SSN 666-12-3456',
    'SSN 912-12-3456',
    'SSN 123-00-6789',
    'SSN 123-45-0000',
    'order 123456789',
    'part 123-45-67890',
    'code 12-123-45-6789',
    'serial 123-45-6789-01',
    'date 2024-03-05',
    'zip 12345-6789',
    'path 123/45/6789',
    'list\n123\n45\n6789',
    'version 1.123.45.6789',
  ],
};
