// `writ check --explain`: a page for every code, made of the catalogue and of what the checker really answers.
import { expect, test } from 'vitest';
import { DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { writ } from './run-writ.ts';

test('says what a code means, shows it and mends it', async () => {
  const { code, out } = await writ(['check', '--explain', 'e0202']);
  expect(code).toBe(0);
  expect(out).toBe(`error[E0202]: an unknown attribute

What it belongs to has no attribute of this name.

This gets it:

    rule graz
      on prompt
      where caller.brnch is graz
      deny

The answer:

    error[E0202]: \`caller\` has no attribute \`brnch\`
      --> example.writ:3:16
       |
     3 |   where caller.brnch is graz
       |                ^^^^^
      ::: policy.writ:14:1
       |
    14 | caller {
       | ------ the attributes of \`caller\` are declared here
       = help: did you mean \`branch\`?

Mended:

    rule graz
      on prompt
      where caller.branch is graz
      deny
`);
});

test.each(Object.keys(DIAGNOSTICS))('%s, on the terminal and as JSON', async (code) => {
  const text = await writ(['check', '--explain', code]);
  expect(text.code).toBe(0);
  expect(text.out).toContain(`[${code}]: `);
  for (const line of text.out.split('\n')) expect(line.length).toBeLessThan(240);
  const json = JSON.parse((await writ(['check', '--explain', code, '--json'])).out) as Record<string, unknown>;
  expect(json).toMatchObject({ code, severity: code.startsWith('W') ? 'warning' : 'error' });
  expect(json['diagnostics']).toEqual(expect.arrayContaining([expect.objectContaining({ code })]));
});

test('an unknown code is an error that names the codes near it', async () => {
  const { code, out, err } = await writ(['check', '--explain', 'E0210']);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('there is no diagnostic `E0210`');
  expect(err).toContain('near it: `E0211` (a condition that is too large), `E0201` (');
  expect((await writ(['check', '--explain', 'nonsense'])).err).toContain('`writ check --explain all` lists the codes');
});

test('all codes are listed', async () => {
  const { code, out } = await writ(['check', '--explain', 'all']);
  expect(code).toBe(0);
  for (const [each, { title }] of Object.entries(DIAGNOSTICS)) expect(out).toContain(`  ${each}  ${title}\n`);
  const { codes } = JSON.parse((await writ(['check', '--explain', 'all', '--json'])).out) as { codes: unknown[] };
  expect(codes).toHaveLength(Object.keys(DIAGNOSTICS).length);
});

test('takes no policy', async () => {
  expect((await writ(['check', '.', '--explain', 'E0202'])).code).toBe(2);
});
