/** What `--keep` prints: lines to try by hand, with real tokens. */
import { chatBody } from './client.ts';
import { topics } from './documents.ts';
import type { Stage } from './stage.ts';

export function keepOpen(stage: Stage, write: (text: string) => void): void {
  const { gateway, tokens, collection, policyFolder, keysFolder, controlPlane } = stage;
  const line = (about: string, path: string, token: string, body: object): string =>
    `# ${about}\ncurl -s ${gateway.url}${path} -H 'content-type: application/json' -H "authorization: Bearer ${token}" -d ${quoted(JSON.stringify(body))}\n`;
  const chat = '/v1/chat/completions';
  const search = `/api/v2/tenants/default_tenant/databases/default_database/collections/${collection}/query`;
  const salaries = { query_embeddings: [topics.pay], n_results: 3, include: ['documents', 'metadatas'] };
  write(
    [
      '\nEverything is still running. To try:\n',
      line(
        'Sam from support: a card number on its way to the external model',
        chat,
        tokens.sam,
        chatBody({ model: 'frontier-1', text: 'My card is 4111 1111 1111 1111.', maxTokens: 40 }),
      ),
      line(
        'Finn from finance: no model is cleared for a social security number',
        chat,
        tokens.finn,
        chatBody({ model: 'frontier-1', text: 'Her SSN is 536-90-4399.', maxTokens: 20 }),
      ),
      line('Sam from support looks for salaries', search, tokens.sam, salaries),
      line('Hanna from HR looks for salaries', search, tokens.hanna, salaries),
      `# the policy: edit and save, and it is in force\n${policyFolder}\n`,
      `# who enforces what\nnpx writ status --control-plane ${controlPlane} --keys ${keysFolder}\n`,
      'Ctrl-C ends it and removes everything.\n',
    ].join('\n'),
  );
}

/** For a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
