// The texts that are searched.
import { seeded } from '../../text/random-text.ts';
import { codeText, digitFlood, digitGroups, prose } from '../scan-texts.ts';

const BYTES = 1_000_000;
const SEED = 1;

export const scanTexts: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'prose', text: prose(seeded(SEED)).slice(0, BYTES) },
  { name: 'digit flood', text: digitFlood(seeded(SEED)).slice(0, BYTES) },
  { name: 'digits in groups', text: digitGroups(seeded(SEED)).slice(0, BYTES) },
  {
    name: 'JSON with escapes',
    text: JSON.stringify({ messages: [{ role: 'user', content: codeText(seeded(SEED)) }] }).slice(0, BYTES),
  },
];
