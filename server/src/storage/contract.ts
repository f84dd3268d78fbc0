export type Row = Record<string, unknown>;

/** Runs SQL (PostgreSQL dialect, `$1` parameters). Timestamps come back as ISO 8601 strings in UTC, jsonb as parsed values, bigint as numbers. */
export interface Queries {
  query<T extends Row = Row>(sql: string, params?: readonly unknown[]): Promise<T[]>;
}

export interface Db extends Queries {
  readonly kind: 'pglite' | 'postgres';
  /** Runs `work` in one transaction; rolled back when it throws. */
  tx<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  /** Waits for queries under way, then closes. */
  close(): Promise<void>;
}
