/** Retrieval: who may not read a file does not find it, whatever they ask; an outdated version is found by nobody. */
import { post, type Answer } from '../client.ts';
import { HANDBOOK_FILE, SALARY_FILE, topics } from '../documents.ts';
import type { PersonId } from '../people.ts';
import type { Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

interface Search {
  readonly how: string;
  readonly kind: 'query' | 'get';
  readonly body: object;
}

const query = (how: string, body: object): Search => ({
  how,
  kind: 'query',
  body: { query_embeddings: [topics.pay], n_results: 10, ...body },
});
const get = (how: string, body: object): Search => ({ how, kind: 'get', body });

/** As a curious person would try. */
const searches: readonly Search[] = [
  query('what do my colleagues earn', {}),
  query('anything at all', { query_embeddings: [[0.5, 0.5, 0.5, 0.5]], n_results: 100 }),
  query('several questions at once', { query_embeddings: [topics.pay, topics.parties, [0.98, 0, 0, 0.1]] }),
  query('filtered to the file', { where: { source: SALARY_FILE } }),
  query('filtered to the readers', {
    where: { $or: [{ allowed_groups: { $contains: 'hr' } }, { version: { $gte: 0 } }] },
  }),
  query('filtered to a word of it', { where_document: { $contains: 'Salaries' } }),
  query('only the closest, with all columns', {
    n_results: 1,
    include: ['documents', 'metadatas', 'distances', 'embeddings'],
  }),
  get('by its id', { ids: ['salary-2025-1', 'salary-2025-2'] }),
  get('by its name', { where: { source: SALARY_FILE } }),
  get('everything, page by page', { limit: 100, offset: 0 }),
];

export const salaryFile: Scene = {
  title: 'The salary file',
  story:
    'Rules `need_to_know` and `current`: a document is found by those who may read it, and only in its newest version.',
  async play(stage, show) {
    const mark = stage.upstreams.handbook.mark();
    const answers: Answer[] = [];
    show.says(`Sam from support searches ${searches.length} ways: ${searches.map((search) => search.how).join('; ')}`);
    for (const search of searches) answers.push(await ask(stage, 'sam', search));
    const leaked = searches.filter((_, at) => /salar/i.test(answers[at]?.body ?? ''));
    const failed = searches.filter((_, at) => answers[at]?.status !== 200);
    const found = answers.filter((answer) => idsOf(answer).length > 0).length;
    show.claim(
      leaked.length === 0 && failed.length === 0,
      `Sam never finds ${SALARY_FILE}`,
      said(leaked, failed) ?? `${searches.length} searches, ${found} of them found other documents, none the file`,
    );

    // The gateway's own questions (which version is the newest) do not come through Envoy, and have no request id.
    const pushed = stage.upstreams.handbook
      .since(mark)
      .filter((exchange) => /\/(query|get)$/.test(exchange.path) && exchange.headers['x-request-id'] !== undefined);
    const unfiltered = pushed.filter((exchange) => !exchange.request.includes('allowed_groups'));
    const shown = pushed.filter((exchange) => /"salary-/.test(exchange.reply.toString()));
    show.claim(
      pushed.length === searches.length && unfiltered.length === 0 && shown.length === 0,
      'the store itself was asked only for what Sam may read',
      `${pushed.length} searches reached the store, all with the policy's filter; it returned the file ${shown.length} times`,
    );

    show.says('Hanna from HR asks the same, by meaning and by id');
    const [byMeaning, byId] = [
      await ask(stage, 'hanna', query('', { n_results: 2 })),
      await ask(stage, 'hanna', get('', { ids: ['salary-2025-1'] })),
    ];
    show.claim(
      byMeaning.body.includes(SALARY_FILE) && byId.body.includes('48,500'),
      'Hanna finds it',
      `found ${idsOf(byMeaning).join(', ')}; by id ${idsOf(byId).join(', ')}`,
    );

    const travel = await ask(stage, 'sam', query('', { query_embeddings: [topics.travel], n_results: 3 }));
    const fax = await ask(
      stage,
      'sam',
      query('', { query_embeddings: [topics.travel], n_results: 3, where_document: { $contains: 'fax' } }),
    );
    const old = await ask(stage, 'sam', get('', { ids: ['travel-v1'] }));
    show.says(
      `Sam asks for ${HANDBOOK_FILE}: how to travel; then what only its outdated version says ("fax"); then that version by its id`,
    );
    show.claim(
      idsOf(travel).includes('travel-v2') && !idsOf(travel).includes('travel-v1'),
      'the newest version is found, the outdated one is not',
      `found ${idsOf(travel).join(', ')}`,
    );
    show.claim(
      [fax, old].every((answer) => answer.status === 200 && idsOf(answer).length === 0 && !answer.body.includes('fax')),
      'nor is it found where only the outdated version matches',
      `found ${idsOf(fax).length} by its word, ${idsOf(old).length} by its id`,
    );
  },
};

function ask(stage: Stage, person: PersonId, { kind, body }: Search): Promise<Answer> {
  return post(
    stage.gateway,
    `/api/v2/tenants/default_tenant/databases/default_database/collections/${stage.collection}/${kind}`,
    stage.tokens[person],
    body,
  );
}

/** The ids that an answer holds, at whatever depth. */
function idsOf({ body }: Answer): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(body);
    const ids = typeof parsed === 'object' && parsed !== null && 'ids' in parsed ? parsed.ids : [];
    return Array.isArray(ids) ? ids.flat(2).map(String) : [];
  } catch {
    return [];
  }
}

function said(leaked: readonly Search[], failed: readonly Search[]): string | undefined {
  const parts = [
    ...(leaked.length > 0 ? [`found by: ${leaked.map((search) => search.how).join('; ')}`] : []),
    ...(failed.length > 0 ? [`failed: ${failed.map((search) => search.how).join('; ')}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('. ');
}
