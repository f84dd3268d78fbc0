export type Row = Record<string, unknown>;

/**
 * Runs one SQL statement (PostgreSQL dialect, `$1` parameters). Timestamps come back as ISO 8601 strings in UTC,
 * jsonb as parsed values, bigint as numbers. A jsonb parameter is JSON text or a plain object: an array of
 * JavaScript is an array of SQL. A statement that fails rejects with an error that `sqlStateOf` understands.
 */
export interface Queries {
  query<T extends Row = Row>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  /** Inside a transaction: called once it has committed. Outside, each statement has when it resolves. */
  afterCommit?(then: () => void): void;
}

export interface Db extends Queries {
  /** `remote`: the embedded one, held by another process of this server. */
  readonly kind: 'pglite' | 'postgres' | 'remote';
  /**
   * Runs `work` in one transaction; rolled back when it throws or when one of its statements failed. Inside `work`
   * use only what it is given: on the embedded database `db.query` would wait for the transaction to end.
   */
  tx<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  /** Waits for queries under way, then closes. */
  close(): Promise<void>;
}
