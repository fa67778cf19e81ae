/** Dates of birth, in context. */
import type { Boundary, Context, Detector } from './detector.ts';

const boundary = { before: 'serial', after: 'serial' } as const satisfies { before: Boundary; after: Boundary };
const context: Context = {
  words: [
    'born',
    'dob',
    'date of birth',
    'birth date',
    'birthdate',
    'birthday',
    'geboren',
    'geb',
    'geburtsdatum',
    'né le',
    'née le',
    'date de naissance',
    'fecha de nacimiento',
    'nacido',
    'nacida',
    'nato il',
    'nata il',
    'geboortedatum',
  ],
  within: 32,
  where: 'before',
};
/** The validator knows which they are. */
const month = '[A-Z][a-z]{2,}';

export const dateOfBirth: Detector = {
  name: 'date_of_birth',
  title: 'date of birth',
  about:
    'A full date of the years 1900 to 2099, in digits or with an English month, after words such as born or date of birth. Other dates are none.',
  forms: [
    {
      pattern: '[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.] ?[0-9]{1,2}[-/.] ?[0-9]{4}',
      boundary,
      validator: 'date',
      context,
    },
    {
      pattern: `[0-9]{1,2}(?:st|nd|rd|th|\\.)? ${month},? [0-9]{4}`,
      longest: 24,
      boundary,
      validator: 'date',
      context,
    },
    { pattern: `${month} [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}`, longest: 24, boundary, validator: 'date', context },
  ],
  examples: [
    'born ⟦1984-03-05⟧',
    'DOB: ⟦03/05/1984⟧',
    'date of birth ⟦5 March 1984⟧.',
    'Born on ⟦March 5th, 1984⟧',
    'geboren am ⟦05.03.1984⟧ in Bonn',
    'geb. ⟦5. 3. 1984⟧',
  ],
  lookAlikes: [
    'due 1984-03-05',
    'released 5 March 2024',
    'born 1884-03-05',
    'born in 1984',
    'DOB 33/33/1984',
    'born 12/2024',
    'stubborn 1984-03-05',
    'born Room 5, 1984',
  ],
};
