// A class that survives copy and paste, with a real Chroma and a real model: what is found comes with a receipt, and a
// prompt that carries it goes where its class may go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHash, randomBytes } from 'node:crypto';
import { DOORS } from '../../proto/door.ts';
import { DeploymentKey } from '../../proto/deployment-key.ts';
import * as chroma from '../../examples/parts/chroma.ts';
import * as llama from '../../examples/parts/llama.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Mesh, startMesh } from './mesh.ts';
import { policyWasm } from './policy-wasm.ts';
import { settles } from './settles.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const KEYS = { ann: `sk-${randomBytes(16).toString('hex')}`, bob: `sk-${randomBytes(16).toString('hex')}` };
type Person = keyof typeof KEYS;

const POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
  base classification: open
}
classification = open < secret
zone = own | external
caller { id : text from claim "sub" }
models {
  zone: zone
}
model gemma "gemma" { provider: llama_cpp input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 4_096 tokens max_output: 64 tokens zone: own }
model far "far" { provider: openai input_price: 1 usd per 1M tokens output_price: 1 usd per 1M tokens context: 100_000 tokens max_output: 64 tokens zone: external }
store files chroma "files" { level : classification from metadata "level" }
route best
  for requested "best"
  prefer far
  prefer gemma
rule all on retrieval from files allow chunk where chunk.level is at least open
rule at_home on prompt where prompt.classification is secret use only models where model.zone is own
classify prompt as highest of receipts
`;

interface Found {
  readonly status: number;
  readonly receipt: string | null;
  readonly metadatas: readonly { readonly writ_receipt?: string }[];
}

describe('receipts', () => {
  let store: chroma.RunningChroma;
  let model: llama.RunningLlama;
  let far: Upstream;
  let files: string;
  beforeAll(async () => {
    [store, model, far] = await Promise.all([
      chroma.start(),
      llama.start({ alias: 'gemma', threads: 2, parallel: 1 }),
      startUpstream(() => ({ body: [JSON.stringify({ object: 'chat.completion', model: 'far', choices: [] })] })),
    ]);
    const collections = `${store.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
    const post = (url: string, body: object): Promise<Response> =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const { id } = (await (await post(collections, { name: 'files' })).json()) as { id: string };
    await post(`${collections}/${id}/add`, {
      ids: ['a', 'b'],
      documents: ['the canteen opens at noon', 'the merger is called Falcon'],
      embeddings: [
        [1, 0],
        [0, 1],
      ],
      metadatas: [{ level: 'open' }, { level: 'secret' }],
    });
    files = `/api/v2/tenants/default_tenant/databases/default_database/collections/${id}`;
  });
  afterAll(async () => {
    await Promise.all([store?.stop(), model?.stop(), far?.stop()]);
  });

  describe.each(DOORS)('through the door %s', (door) => {
    let mesh: Mesh;
    beforeAll(async () => {
      const deployment = {
        models: { gemma: { url: model.url }, far: { url: `http://127.0.0.1:${far.port}/far` } },
        stores: { files: { url: store.url } },
        identity: {
          apiKeys: Object.entries(KEYS).map(([name, key]) => ({
            sha256: createHash('sha256').update(key).digest('hex'),
            claims: { sub: name },
          })),
        },
      };
      const { plan, wasm } = await policyWasm(POLICY, deployment);
      mesh = await startMesh({ plan, deployment, wasm, door, loadFilter });
    });
    afterAll(() => mesh?.stop());

    const post = (who: Person, path: string, body: object, receipts: readonly string[] = []): Promise<Response> =>
      fetch(`${mesh.url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${KEYS[who]}`,
          ...(receipts.length === 0 ? {} : { 'x-writ-receipt': receipts.join(', ') }),
        },
        body: JSON.stringify(body),
      });
    const find = async (who: Person, towards: readonly number[]): Promise<Found> => {
      const response = await post(who, `${files}/query`, {
        query_embeddings: [towards],
        n_results: 1,
        include: ['documents', 'metadatas'],
      });
      const body = (await response.json()) as { metadatas?: Found['metadatas'][] };
      return {
        status: response.status,
        receipt: response.headers.get('x-writ-receipt'),
        metadatas: body.metadatas?.flat() ?? [],
      };
    };
    /** Which model answered, or the status. */
    const answers = async (who: Person, receipts: readonly string[] = []): Promise<string | number> => {
      const response = await post(
        who,
        '/v1/chat/completions',
        { model: 'best', max_tokens: 4, messages: [{ role: 'user', content: 'What is it called?' }] },
        receipts,
      );
      return response.status === 200 ? ((await response.json()) as { model: string }).model : response.status;
    };

    test('nothing is handed out before there is a key to sign with', async () => {
      expect(await find('ann', [0, 1])).toMatchObject({ status: 503, receipt: null });
      expect(await answers('ann')).toBe('far');
    });

    test('a prompt with the receipt of a secret goes to our own model, and one without it or of an open one does not', async () => {
      await mesh.stopSidecar();
      await mesh.restartSidecar({ policyKey: DeploymentKey.random() });
      await settles(async () => (await find('ann', [0, 1])).status === 200);
      const secret = await find('ann', [0, 1]);
      const open = await find('ann', [1, 0]);
      expect(secret.metadatas).toEqual([{ level: 'secret', writ_receipt: secret.receipt }]);
      expect(open.metadatas).toEqual([{ level: 'open', writ_receipt: open.receipt }]);
      expect(await answers('ann')).toBe('far');
      expect(await answers('ann', [open.receipt!])).toBe('far');
      expect(await answers('ann', [open.receipt!, secret.receipt!])).toBe('gemma');
    });

    test('a receipt that another caller was given, or that was changed, is denied', async () => {
      const { receipt } = await find('ann', [0, 1]);
      expect(await answers('bob', [receipt!])).toBe(403);
      expect(await answers('ann', [receipt!.replace('secret', 'open')])).toBe(403);
      expect(await answers('ann', [receipt!])).toBe('gemma');
    });
  });
});
