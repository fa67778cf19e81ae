/** Passport numbers, in context. */
import type { Boundary, Context, Detector } from './detector.ts';

const boundary = { before: 'serial', after: 'serial' } as const satisfies { before: Boundary; after: Boundary };
const context: Context = {
  words: [
    'passport',
    'passport no',
    'passport number',
    'travel document',
    'reisepass',
    'passnummer',
    'reisepassnummer',
    'pasaporte',
    'passeport',
    'passaporto',
    'paspoort',
    'paszport',
  ],
  within: 40,
  where: 'before',
};

export const passport: Detector = {
  name: 'passport',
  title: 'passport number',
  about:
    'Six to nine digits, after up to two letters, or the letters and digits of a German passport, after a word for passport. Without such a word they look like any number.',
  forms: [
    { pattern: '[A-Z]{1,2}[0-9]{6,8}', boundary, context },
    { pattern: '[0-9]{8,9}|[0-9]{2}[A-Z]{2}[0-9]{5}', boundary, context },
    { pattern: '[CFGHJK][CFGHJKLMNPRTVWXYZ0-9]{7}[0-9]', boundary, context },
  ],
  examples: [
    'passport ⟦C01X00T47⟧',
    'Passport No: ⟦123456789⟧',
    'her passport number is ⟦X12345678⟧.',
    'Reisepass ⟦C01X00065⟧',
    'passeport ⟦12AB34567⟧',
  ],
  lookAlikes: [
    'order X12345678',
    'passport office 2024',
    'the passport expires 2031',
    'id 123456789',
    'passport photos cost 12.50',
  ],
};
