// Commands that take a word first: each says which words there are, whatever else is written.
import { expect, test } from 'vitest';
import { writ } from './run-writ.ts';

test.each(['keys', 'list', 'notify', 'record', 'review', 'switch'])('`writ %s` names its words', async (command) => {
  const none = await writ([command]);
  expect(none).toMatchObject({ code: 2, out: '' });
  expect(none.err).toMatch(new RegExp(`^writ: \`writ ${command}\` takes one of \`.*, but none is given\n`));
  // No word of its own is what every object has.
  for (const word of ['frob', 'constructor', '__proto__'])
    expect((await writ([command, word])).err).toContain(`, but \`${word}\` is none of them`);
});
