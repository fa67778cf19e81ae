// A filter as `writ build` makes it, and the words that Envoy gives it.
import { createHash } from 'node:crypto';
import { policyWasm } from '../e2e/policy-wasm.ts';
import type { HeaderPair } from '../../filters/host/header-pairs.ts';

export const KEY = 'sk-of-a-test';
export const CONFIGURATION = `requestBytes 1000000
replyBytes 1000000
exchanges 10
replies
store store/docs 127.0.0.1:9
revision ${'a'.repeat(64)}
`;

const policy = (rules: string): string => `policy acme {
  owner "a@acme.example"
  currency usd
  time zone "UTC"
  default prompt: allow
  default completion: allow
  default retrieval: deny
  default ingest: deny
  on failure: deny
}
caller { id : text from claim "sub" }
models { }
${rules}`;

export async function filterWasmOf(rules: string): Promise<Uint8Array> {
  const url = 'http://127.0.0.1:9';
  const apiKeys = [{ sha256: createHash('sha256').update(KEY).digest('hex'), claims: { sub: 'u1' } }];
  return (await policyWasm(policy(rules), { models: { m: { url } }, identity: { apiKeys } })).wasm;
}

export const REQUEST_HEADERS: readonly HeaderPair[] = [
  [':method', 'POST'],
  [':path', '/v1/chat/completions'],
  [':authority', 'a'],
  ['content-type', 'application/json'],
  ['authorization', `Bearer ${KEY}`],
  ['x-secret-note', 'of the client'],
];

export function headersFor(body: Uint8Array): HeaderPair[] {
  return [...REQUEST_HEADERS, ['content-length', String(body.length)]];
}

export function chat(content: string, more: object = {}): Buffer {
  return Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more }));
}
