// The Envoy resources of each case against its golden file, and each accepted by the real Envoy. `UPDATE_GOLDENS=1`
// writes the files anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseDeployment } from '../../compiler/deployment/parse-deployment.ts';
import type { Door } from '../../proto/door.ts';
import { envoyResources, printEnvoyResources } from '../../compiler/envoy/envoy-resources.ts';
import { trafficOf } from '../../compiler/envoy/traffic.ts';
import { readEnvoyDocument } from '../../filters/sidecar/envoy-document.ts';
import { envoyBootstrap } from '../../filters/sidecar/envoy-bootstrap.ts';
import { validate } from '../../examples/parts/envoy.ts';
import { policyWasm } from '../e2e/policy-wasm.ts';
import { cases } from './cases.ts';
import type { EnvoyCase } from './cases.ts';

const isUpdating = process.env['UPDATE_GOLDENS'] === '1';
const goldenOf = (name: string): string => fileURLToPath(new URL(`golden/${name}.json`, import.meta.url));
const SMALL_POLICY = `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: deny
  default completion: deny
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
`;
/** What the sidecar puts into the resources: Envoy loads it when it judges them. */
const filter = {
  name: 'acme',
  revision: 'abc',
  wasm: (await policyWasm(SMALL_POLICY, { models: {} })).wasm,
};
const doorCases = cases.flatMap((each): (EnvoyCase & { readonly door: Door })[] => [
  { ...each, door: 'ext_proc' },
  { ...each, door: 'in_envoy', name: `${each.name}-in-envoy` },
]);

describe.each(doorCases)('$name', (each) => {
  test('is as its golden file says', () => {
    const text = textOf(each);
    if (isUpdating) writeFileSync(goldenOf(each.name), text);
    expect(existsSync(goldenOf(each.name))).toBe(true);
    expect(text).toBe(readFileSync(goldenOf(each.name), 'utf8'));
  });

  test('is the same each time', () => {
    expect(textOf(each)).toBe(textOf(structuredClone(each)));
  });

  test('is accepted by the real Envoy', async () => {
    const result = await validate(staticBootstrap(textOf(each)));
    expect([result.code, result.stderr]).toEqual([0, '']);
  });

  test('is read back by the sidecar', () => {
    const document = readEnvoyDocument(textOf(each), filter);
    expect(document.door).toBe(each.door);
    expect([...document.listener.keys(), ...document.route.keys(), ...document.extension.keys()]).toEqual([
      'writ',
      ...('egress' in each.deployment ? ['writ_egress'] : []),
      'writ_routes',
      'writ_jwt',
      ...('egress' in each.deployment ? ['writ_egress_filter'] : []),
      each.door === 'in_envoy' ? 'writ_filter' : 'writ_processor',
    ]);
    expect([...document.cluster.keys()].sort()).toEqual(
      [
        ...each.plan.models.map(({ name }) => `model/${name}`),
        ...each.plan.stores.map(({ name }) => `store/${name}`),
        ...('egress' in each.deployment ? ['writ_egress'] : []),
      ].sort(),
    );
  });
});

test("the sidecar's bootstrap is accepted by the real Envoy", async () => {
  const result = await validate(
    envoyBootstrap({
      socketPath: '/tmp/x.sock',
      processorPath: '/tmp/x.sock',
      nodeId: 'node-1',
      policy: 'acme',
      admin: { kind: 'loopback', port: 0 },
    }),
  );
  expect([result.code, result.stderr]).toEqual([0, '']);
});

test('replies are sent to the sidecar only where the policy reads them', () => {
  const modes = (name: string): unknown =>
    JSON.parse(readFileSync(goldenOf(name), 'utf8')).extensions[1].typedConfig.processingMode;
  expect(modes('one-model')).toMatchObject({ responseHeaderMode: 'SKIP' });
  expect(modes('models-and-stores')).toMatchObject({
    responseHeaderMode: 'SEND',
    responseBodyMode: 'FULL_DUPLEX_STREAMED',
    responseTrailerMode: 'SEND',
  });
  const prompt = cases[0]?.plan.events[0];
  if (prompt?.kind !== 'prompt') throw new Error('the first case has a prompt event');
  const span = { file: 'a.writ', start: 0, end: 0 };
  const rule = {
    name: 'r',
    cites: [],
    reads: [],
    when: { kind: 'all', expr: { kind: 'const', value: true } },
    span,
  } as const;
  const redacting = (kind: 'placeholder' | 'year') =>
    trafficOf({
      redactions: [{ kind }],
      events: [
        {
          ...prompt,
          rules: [{ ...rule, effects: [{ kind: 'redact', detectors: ['email'], includingRestored: false, as: 0 }] }],
        },
      ],
    });
  expect(redacting('year')).toEqual({ replies: false });
  expect(redacting('placeholder')).toEqual({ replies: true });
});

function textOf({ plan, deployment, door }: EnvoyCase & { readonly door: Door }): string {
  const parsed = parseDeployment(JSON.stringify(deployment), plan);
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  return printEnvoyResources(envoyResources({ redactions: [], ...plan }, parsed.deployment, door));
}

/**
 * What Envoy validates is a bootstrap: the resources as static ones, with what would be discovered put in its place.
 */
function staticBootstrap(text: string): object {
  const { clusters, listeners, routes, extensions } = JSON.parse(text);
  const [listener] = listeners;
  for (const { typedConfig } of extensions)
    if (typedConfig.config?.vmConfig !== undefined) {
      typedConfig.config.vmConfig.code = { local: { inlineBytes: Buffer.from(filter.wasm).toString('base64') } };
      typedConfig.config.vmConfig.vmId = filter.name;
    }
  const manager = listener.filterChains[0].filters[0].typedConfig;
  delete manager.rds;
  manager.routeConfig = routes[0];
  manager.httpFilters = manager.httpFilters.map((filter: { name: string; configDiscovery?: object }) =>
    filter.configDiscovery === undefined
      ? filter
      : {
          name: filter.name,
          typedConfig: extensions.find(({ name }: { name: string }) => name === filter.name).typedConfig,
        },
  );
  const bootstrap: { static_resources: { clusters: object[] } } = structuredClone(
    envoyBootstrap({
      socketPath: '/tmp/x.sock',
      processorPath: '/tmp/x.sock',
      nodeId: 'node-1',
      policy: 'acme',
      admin: { kind: 'loopback', port: 0 },
    }),
  ) as { static_resources: { clusters: object[] } };
  return {
    ...bootstrap,
    dynamic_resources: {},
    static_resources: { clusters: [...bootstrap.static_resources.clusters, ...clusters], listeners: [listener] },
  };
}
