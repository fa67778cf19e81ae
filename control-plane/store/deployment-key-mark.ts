// Which deployment key this control plane has used: its mark, which tells nothing of the key.
import { text } from './database.ts';
import type { Queries } from './database.ts';

/** Undefined before the first key. */
export async function usedKeyMark(queries: Queries): Promise<string | undefined> {
  const [row] = await queries.query('select mark from deployment_key');
  return row === undefined ? undefined : text(row, 'mark');
}

export async function keepKeyMark(queries: Queries, mark: string): Promise<void> {
  await queries.query(
    'insert into deployment_key (mark) values ($1) on conflict (single) do update set mark = excluded.mark',
    [mark],
  );
}
