// The class of what leaves and of what comes back, through both doors: a model is chosen by the class of the prompt as it
// is after redaction; a reply is classified while it streams, and denied as soon as its class is too high.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DOORS } from '../../proto/door.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Answered, keyCallers } from './key-callers.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const IBAN = 'DE89 3704 0044 0532 0130 00';
const callers = keyCallers(['masked', 'open', 'cleared']);

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
  base classification: internal
}
classification = public < internal < restricted
caller {
  id : text from claim "sub"
  groups : set of text from claim "groups" else {}
  clearance : classification from claim "clearance" else internal
}
models { clearance: classification }
model m "m-1" {
  provider: openai clearance: internal input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens
  context: 100_000 tokens max_output: 256 tokens
}
classify prompt as restricted where text contains iban
classify completion as restricted where text contains iban
rule masked on prompt where caller.groups contains "masked" redact iban as placeholder
rule cleared on prompt use only models where model.clearance is at least prompt.sent_classification
rule no_training on prompt set prompt.store to false
rule above_clearance on completion where completion.classification is above caller.clearance deny "Above your clearance"
`;

let upstream: Upstream;
let mesh: Mesh;
/** What the upstream says next. */
let says = '';

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    upstream = await startUpstream(({ body }) => {
      const isStream = body.includes('"stream":true');
      const chunk = (choice: object): string =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm-1', choices: [{ index: 0, ...choice }] })}\n\n`;
      return isStream
        ? {
            headers: { 'content-type': 'text/event-stream' },
            body: [
              // One letter an event, and one byte a write.
              ...[...says].flatMap((content) => [...chunk({ delta: { content } })]),
              chunk({ delta: {}, finish_reason: 'stop' }),
              'data: [DONE]\n\n',
            ],
          }
        : {
            body: [
              JSON.stringify({
                object: 'chat.completion',
                choices: [{ index: 0, message: { role: 'assistant', content: says }, finish_reason: 'stop' }],
              }),
            ],
          };
    });
    const deployment = {
      models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
      identity: {
        apiKeys: callers.apiKeys((group) => ({ clearance: group === 'cleared' ? 'restricted' : 'internal' })),
      },
    };
    const { plan, wasm } = await policyWasm(POLICY, deployment);
    mesh = await startMesh({ plan, deployment, wasm, door, loadFilter });
  });

  afterAll(async () => {
    await mesh?.stop();
    await upstream?.stop();
  });

  beforeEach(() => {
    upstream.received.length = 0;
  });

  const ask = (group: string, content: string, stream = false): Promise<Answered> =>
    callers.ask(mesh.url, group, content, stream ? { stream } : {});
  /** All that a client shows of a stream. */
  const shown = (said: string): string =>
    [...said.matchAll(/^data: (\{.*)$/gm)]
      .map((match) => (JSON.parse(match[1]!) as { choices: { delta: { content?: string } }[] }).choices[0])
      .map((choice) => choice?.delta.content ?? '')
      .join('');

  test('a model may be used where what it is not cleared for is redacted', async () => {
    says = 'fine';
    expect((await ask('masked', `pay ${IBAN}`)).status).toBe(200);
    expect(String(upstream.received[0]?.body)).not.toContain('3704');
    expect(JSON.parse(String(upstream.received[0]?.body))).toMatchObject({ store: false });
  });

  test('and not where it would leave as it came', async () => {
    const { status, said } = await ask('open', `pay ${IBAN}`);
    expect(status).toBe(403);
    expect(said).toContain('cleared');
    expect(upstream.received).toHaveLength(0);
  });

  test('a reply above the clearance is denied, and its class is in the log', async () => {
    says = `pay to ${IBAN}, please`;
    const { status, said } = await ask('open', 'whom?');
    expect(status).toBe(403);
    expect(said).toContain('Above your clearance');
    const path = join(mesh.stateFolder, 'decisions.log');
    const log = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await settles(() =>
      log().includes('"event":"completion","outcome":"deny","model":null,"classification":"restricted"'),
    );
    expect(log()).not.toContain('3704');
  });

  test('in a stream it is cut before the first byte that made it so', async () => {
    says = `pay to ${IBAN}, please`;
    const { status, said } = await ask('open', 'whom?', true);
    expect(status).toBe(200);
    expect(shown(said)).toBe('pay to ');
    expect(said).toContain('Above your clearance');
    expect(said).toContain('"finish_reason":"content_filter"');
    expect(said.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  test('who is cleared gets all of it', async () => {
    says = `pay to ${IBAN}, please`;
    expect(shown((await ask('cleared', 'whom?', true)).said)).toBe(says);
  });
});
