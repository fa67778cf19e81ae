// `now` is one instant in a whole exchange: when the request arrived, however late the reply comes.
import { beforeAll, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { filterOf, run, type Seen } from './test-filter.ts';

const POLICY = `policy timed {
  owner "o@x.example"
  currency usd
  time zone "Europe/Berlin"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
hours office = monday to friday 09:00 to 18:00
rule closed on prompt where now is not in hours office deny "Closed"
rule night on completion where now is at least 2026-11-30 17:59 and text contains email deny "Too late"
`;

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(POLICY);
});

function askAt(instant: string): Seen {
  const body = JSON.stringify({ model: 'm-1', messages: [{ role: 'user', content: 'hello' }] });
  return run(filter, {
    path: '/v1/chat/completions',
    headers: [
      ['authorization', 'Bearer key-1'],
      ['content-type', 'application/json'],
      ['content-length', String(body.length)],
    ],
    body,
    nowMs: Date.parse(instant),
    upstream: {
      body: JSON.stringify({
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: 'a@b.example' }, finish_reason: 'stop' }],
      }),
    },
  });
}

test.each([
  ['before opening', '2026-11-30T08:59:59.999+01:00', 403, null],
  ['while open', '2026-11-30T09:00:00+01:00', 200, 'a@b.example'],
  ['in the last minute, the reply too', '2026-11-30T17:59:00+01:00', 403, 'Too late'],
  ['at closing', '2026-11-30T18:00:00+01:00', 403, 'Closed'],
])('%s', (_, instant, status, says) => {
  const seen = askAt(instant);
  expect(seen.status).toBe(status);
  if (says !== null) expect(seen.got).toContain(says);
});
