// Policies and deployments whose Envoy resources are kept in golden/: one case a thing that changes them.
import type { PlanForEnvoy } from '../e2e/signed-release.ts';

export interface EnvoyCase {
  readonly name: string;
  readonly plan: PlanForEnvoy;
  readonly deployment: object;
}

const requestsOnly: PlanForEnvoy['events'] = [
  { kind: 'prompt', default: 'allow', classify: [], limits: [], requirements: [], budgets: [], routes: [], rules: [] },
];
const replies: PlanForEnvoy['events'] = [
  { kind: 'completion', default: 'deny', classify: [], rules: [], stream: 'early' },
];
const jwks = {
  keys: [
    {
      kty: 'RSA',
      kid: 'a',
      alg: 'RS256',
      n: 'sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4gs_7svlJJQ4H9_NxsiIoLwAEk7-Q3UXERGYw_75IDrGA84-lA_-Ct4eTlXHBIY2EaV7t7LjJaynVJCpkv4LKjTTAumiGUIuQhrNhZLuF_RJLqHpM2kgWFLU7-VTdL1VbC2tejvcI2BlMkEpk1BzBZI0KQB0GaDWFLN-aEAw3vRw',
      e: 'AQAB',
    },
  ],
};

export const cases: readonly EnvoyCase[] = [
  {
    name: 'one-model',
    plan: { models: [{ name: 'small' }], stores: [], events: requestsOnly },
    deployment: { listener: { port: 10_000 }, models: { small: { url: 'http://127.0.0.1:8080' } } },
  },
  {
    name: 'models-and-stores',
    plan: { models: [{ name: 'small' }, { name: 'frontier' }], stores: [{ name: 'hr_docs' }], events: replies },
    deployment: {
      listener: { address: '0.0.0.0', port: 10_000 },
      models: {
        small: { url: 'http://llama.internal:8080/base/', credential: 'forward' },
        frontier: { url: 'https://api.example.com', http: 'http2', credential: { variable: 'FRONTIER_KEY' } },
      },
      stores: { hr_docs: { url: 'http://[::1]:8000' } },
    },
  },
  {
    name: 'identities',
    plan: { models: [{ name: 'small' }], stores: [], events: replies },
    deployment: {
      listener: { port: 10_000 },
      models: { small: { url: 'http://127.0.0.1:8080', credential: { variable: 'SMALL_KEY', header: 'x-api-key' } } },
      identity: {
        jwt: [
          { issuer: 'https://id.example', audiences: ['writ'], jwks },
          { issuer: 'https://other.example', jwks },
        ],
        apiKeys: [{ sha256: 'a'.repeat(64), claims: { sub: 'batch', groups: ['jobs'] } }],
      },
    },
  },
  {
    name: 'egress',
    plan: { models: [], stores: [], events: [{ kind: 'egress', default: 'deny', rules: [] }] },
    deployment: { listener: { port: 10_000 }, egress: { address: '0.0.0.0', port: 8443 } },
  },
  {
    name: 'limits',
    plan: { models: [{ name: 'small' }], stores: [], events: replies },
    deployment: {
      listener: { port: 10_000 },
      models: { small: { url: 'http://127.0.0.1:8080' } },
      limits: {
        requestBytes: 1024,
        replyBytes: 2048,
        headerKibibytes: 8,
        exchanges: 2,
        idleSeconds: 1,
        connectSeconds: 2,
      },
    },
  },
];
