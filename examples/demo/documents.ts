/**
 * What stands in Acme's document store before the story begins, put there past the gateway as an import job would.
 * Embeddings are given: four made-up topics (pay, travel, laptops, parties) stand for what an embedding model would
 * say, so that the demo needs none.
 */

export interface Document {
  readonly id: string;
  readonly text: string;
  readonly embedding: readonly number[];
  readonly metadata: {
    readonly source: string;
    readonly version: number;
    readonly allowed_groups: readonly string[];
    readonly classification: string;
  };
}

export const COLLECTION = 'handbook';
export const SALARY_FILE = 'Salary_2025.pdf';
export const HANDBOOK_FILE = 'Travel_Handbook.pdf';

/** Directions of the topics. */
export const topics = {
  pay: [1, 0, 0, 0],
  travel: [0, 1, 0, 0],
  laptops: [0, 0, 1, 0],
  parties: [0, 0, 0, 1],
} as const;

const everybody = ['everybody'];

export const documents: readonly Document[] = [
  document(
    'salary-2025-1',
    SALARY_FILE,
    1,
    { groups: ['hr'], classification: 'confidential' },
    [1, 0, 0, 0.02],
    'Salaries 2025: team leads 91,000, support agents 48,500, from April on.',
  ),
  document(
    'salary-2025-2',
    SALARY_FILE,
    1,
    { groups: ['hr'], classification: 'confidential' },
    [0.98, 0, 0, 0.1],
    'Salaries 2025: bonuses are paid with the March salary.',
  ),
  // The old version was about fax, and only it.
  document(
    'travel-v1',
    HANDBOOK_FILE,
    1,
    { groups: everybody, classification: 'internal' },
    [0, 1, 0.05, 0],
    'Travel: send your request by fax to the travel desk.',
  ),
  document(
    'travel-v2',
    HANDBOOK_FILE,
    2,
    { groups: everybody, classification: 'internal' },
    [0, 0.9, 0.1, 0],
    'Travel: book in the portal, up to 120 EUR a night.',
  ),
  document(
    'laptops-1',
    'Laptops.pdf',
    1,
    { groups: everybody, classification: 'internal' },
    [0.1, 0, 1, 0],
    'Laptops are replaced every four years. Ask the help desk.',
  ),
  document(
    'party-1',
    'Summer_Party.pdf',
    1,
    { groups: everybody, classification: 'public' },
    [0.05, 0, 0, 1],
    'The summer party is on the roof. Families are welcome.',
  ),
];

interface Readers {
  readonly groups: readonly string[];
  readonly classification: string;
}

function document(
  id: string,
  source: string,
  version: number,
  { groups, classification }: Readers,
  embedding: readonly number[],
  text: string,
): Document {
  return { id, text, embedding, metadata: { source, version, allowed_groups: groups, classification } };
}

/** Makes the collection, fills it, and gives its id. Throws where Chroma refuses. */
export async function seed(chromaUrl: string): Promise<string> {
  const base = `${chromaUrl}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const collection: unknown = await post(base, { name: COLLECTION, get_or_create: true });
  const id = typeof collection === 'object' && collection !== null && 'id' in collection ? String(collection.id) : '';
  await post(`${base}/${id}/upsert`, {
    ids: documents.map((each) => each.id),
    documents: documents.map((each) => each.text),
    embeddings: documents.map((each) => each.embedding),
    metadatas: documents.map((each) => each.metadata),
  });
  return id;
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`chroma refused ${new URL(url).pathname}: ${response.status} ${await response.text()}`);
  return response.json();
}
