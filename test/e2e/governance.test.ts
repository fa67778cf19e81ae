// A team's policy under its company's, through both doors: the company's file is pinned and a ceiling, the team has what
// was delegated to it, and what would break a guarantee goes nowhere.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { compile, type CompileResult } from '../../cli/compile.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { DOORS } from '../../proto/door.ts';
import { type Answered, keyCallers } from './key-callers.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const CARD = '4111 1111 1111 1111';
const IBAN = 'DE89 3704 0044 0532 0130 00';
const callers = keyCallers(['trusted', 'guest']);
const policy = (name: string, prompt: string): string => `policy ${name} {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: ${prompt}
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: allow
}
`;
const COMPANY = `${policy('company', 'deny')}
caller { id : text from claim "sub"  groups : set of text from claim "groups" else {} }
model m "m-1" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 256 tokens }
rule cards on prompt where caller.groups contains "trusted" redact payment_card as mask
guarantee cards_stay "No card number leaves in the clear" never prompt sent where payment_card is unredacted
guarantee accounts_stay "No account number is answered" never completion sent where iban is unredacted
delegate to sales where caller.groups overlaps {"trusted", "guest"} may allow
`;

let folder: string;
let upstream: Upstream;
let mesh: Mesh;
let answer = 'yes';

/** The team's folder, which pins the company's file as it is or as `pin` says. */
function build(own: string, pin?: string): Promise<CompileResult> {
  const hash = pin ?? createHash('sha256').update(COMPANY).digest('hex');
  const text = `${policy('sales', 'deny')}import "../company/company.writ" at "sha256:${hash}"\n${own}\n`;
  writeFileSync(join(folder, 'sales', 'sales.writ'), text);
  return compile({ path: 'sales', cwd: folder, allowUnenforced: false, deployment: null });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-governance-'));
  for (const name of ['company', 'sales']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'company', 'company.writ'), COMPANY);
  upstream = await startUpstream(() => {
    const message = { role: 'assistant', content: answer };
    return { body: [JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message }] })] };
  });
});

afterAll(async () => {
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  upstream.received.length = 0;
  answer = 'yes';
});

test('a file that is not the one that was pinned builds nothing', async () => {
  const { compiled, diagnostics } = await build('rule team on prompt allow', '0'.repeat(64));
  expect(compiled).toBeNull();
  expect(diagnostics.map(({ code }) => code)).toEqual(['E0416']);
});

describe.each(DOORS)('through the door %s', (door) => {
  beforeAll(async () => {
    const deployment = {
      listener: { port: 1 },
      models: { m: { url: `http://127.0.0.1:${upstream.port}/m` } },
      identity: { apiKeys: callers.apiKeys() },
    };
    writeFileSync(join(folder, 'sales', 'deployment.json'), JSON.stringify(deployment));
    const { compiled } = await build('rule team on prompt allow');
    const { listener: _, ...served } = deployment;
    const wasm = compiled?.files.get(BUNDLE_PATHS.filterWasm);
    if (compiled === null || wasm === undefined) throw new Error('the policy does not build');
    mesh = await startMesh({ plan: compiled.plan, deployment: served, wasm, door, loadFilter });
  });

  afterAll(() => mesh?.stop());

  const ask = (group: string, content: string): Promise<Answered> => callers.ask(mesh.url, group, content);

  test('those pass to whom the company lets the team allow', async () => {
    expect((await ask('guest', 'hello')).status).toBe(200);
  });

  test('what a rule hides passes, hidden', async () => {
    expect((await ask('trusted', `card ${CARD}`)).status).toBe(200);
    expect(upstream.received[0]?.body.toString()).toContain('[PAYMENT_CARD]');
  });

  test('what no rule hides for this caller goes nowhere', async () => {
    const { status, said } = await ask('guest', `card ${CARD}`);
    expect(status).toBe(403);
    expect(said).toContain('No card number leaves in the clear');
    expect(upstream.received).toHaveLength(0);
  });

  test('an answer that would break a guarantee does not come', async () => {
    answer = `pay to ${IBAN}`;
    const { status, said } = await ask('trusted', 'hello');
    expect(status).toBe(403);
    expect(said).toContain('No account number is answered');
    expect(said).not.toContain(IBAN.slice(0, 9));
  });
});
