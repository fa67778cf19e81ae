// What the stores need of a database: PostgreSQL's SQL, values as parameters, transactions. PGlite today, a PostgreSQL
// server with the same statements later.

export type SqlValue = string | number | bigint | boolean | null | Uint8Array;
/** A column's value as the driver returns it: parsed once, with the functions below. */
export type Row = { readonly [column: string]: unknown };

export interface Queries {
  query(sql: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
}

export interface Database extends Queries {
  /** All or nothing, durable once it resolves. Rejects with what `work` throws, or with DatabaseError. */
  transaction<T>(work: (tx: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export class DatabaseError extends Error {
  /** `locked`: another process uses the folder. */
  readonly code: 'unavailable' | 'locked';

  constructor(code: 'unavailable' | 'locked', message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'DatabaseError';
    this.code = code;
  }
}

/** An integer column. Drivers return bigint columns as number, bigint or text. */
export function integer(row: Row, column: string): number {
  const value = row[column];
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'bigint' || typeof value === 'string'
        ? Number(value)
        : Number.NaN;
  if (!Number.isSafeInteger(number))
    throw new DatabaseError('unavailable', `the column \`${column}\` holds no exact integer`);
  return number;
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new DatabaseError('unavailable', `the column \`${column}\` holds no text`);
  return value;
}

export function flag(row: Row, column: string): boolean {
  const value = row[column];
  if (typeof value !== 'boolean') throw new DatabaseError('unavailable', `the column \`${column}\` holds no boolean`);
  return value;
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new DatabaseError('unavailable', `the column \`${column}\` holds no bytes`);
  return value;
}
