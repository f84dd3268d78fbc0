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

/** Types of columns that rows can be added to as lines. Times are as `Date` writes them. */
export type ColumnType = 'text' | 'timestamptz' | 'bigint' | 'double precision' | 'json';

/** Rows for a table, each a line: a JSON object with columns for members. */
export interface RowLines {
  readonly table: string;
  /** The members, in the order in which every line has them; one that a line leaves out is null. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Columns that have one text in all of the rows. */
  readonly same: Readonly<Record<string, string>>;
  /** Each with a newline at its end. Members of type json are stored as they are written. */
  readonly lines: Uint8Array;
  /** What a row that is there already does: it fails all of them, or is kept as it is. */
  readonly existing: 'fail' | 'keep';
  /** A statement that goes with them: both are done, or neither. */
  readonly statement: { readonly sql: string; readonly params: readonly unknown[] };
}

export interface Db extends Queries {
  /** `remote`: the embedded one, held by another process of this server. */
  readonly kind: 'pglite' | 'postgres' | 'remote';
  /**
   * Runs `work` in one transaction; rolled back when it throws or when one of its statements failed. Inside `work`
   * use only what it is given: on the embedded database `db.query` would wait for the transaction to end.
   */
  tx<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Adds rows, at a fraction of what many rows cost through `query`. Rejects as a statement does. */
  append(rows: RowLines): Promise<void>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  /** Waits for queries under way, then closes. */
  close(): Promise<void>;
}
