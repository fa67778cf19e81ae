// What holds for a time, on the clock that each door really has: the sidecar's, and Envoy's own. The policy is written
// around today, so that what is over, what is running and what is to come are known. Edges stand in test/lower.
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

const DAY = 86_400_000;
const daysFromNow = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
const IBAN = 'DE89 3704 0044 0532 0130 00';
const callers = keyCallers(['staff', 'auditor', 'former']);

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "Pacific/Auckland"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
hours always = monday to sunday 00:00 to 24:00
rule over on prompt deny "Over" effective 2020-01-01 until ${daysFromNow(-2)}
rule running on prompt where text contains iban deny "No IBAN" effective 2020-01-01 until ${daysFromNow(2)} waivable by "dpo"
rule later on prompt deny "Not yet" effective ${daysFromNow(2)}
rule unhoured on prompt where now is not in hours always deny "No hour of the week"
rule past on prompt where now is below ${daysFromNow(-2)} 12:00 deny "The clock is slow"
waiver audit "Auditors see IBANs" of running where caller.groups contains "auditor" until ${daysFromNow(2)} owner "dpo"
waiver old "So did they" of running where caller.groups contains "former" until ${daysFromNow(-2)} owner "dpo"
`;

let upstream: Upstream;
let mesh: Mesh;

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    upstream = await startUpstream(() => ({ body: [JSON.stringify({ object: 'chat.completion', choices: [] })] }));
    const deployment = {
      models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
      identity: { apiKeys: callers.apiKeys() },
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

  const ask = (group: string, content: string): Promise<Answered> => callers.ask(mesh.url, group, content);

  test('rules that are over, and that are to come, do nothing', async () => {
    expect((await ask('staff', 'hello')).status).toBe(200);
    expect(upstream.received).toHaveLength(1);
  });

  test('a rule that is running does what it says', async () => {
    const { status, said } = await ask('staff', `pay ${IBAN}`);
    expect(status).toBe(403);
    expect(said).toContain('No IBAN');
    expect(upstream.received).toHaveLength(0);
  });

  test('a waiver lifts it for those it covers, and the log says so', async () => {
    expect((await ask('auditor', `pay ${IBAN}`)).status).toBe(200);
    const path = join(mesh.stateFolder, 'decisions.log');
    const log = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await settles(() => log().includes('"fired":["waiver audit"]'));
    expect(log()).not.toContain(IBAN);
  });

  test('a waiver that has ended lifts nothing', async () => {
    const { status, said } = await ask('former', `pay ${IBAN}`);
    expect(status).toBe(403);
    expect(said).toContain('No IBAN');
  });
});
