/** What a statement that failed rejects with, on both drivers. */
export interface SqlError extends Error {
  /** SQLSTATE, five characters: `23505` is a unique violation. */
  readonly code: string;
  readonly constraint?: string | undefined;
}

/** A failure on its way from the thread, or the process, that has the database. */
export interface ToldError {
  readonly message: string;
  readonly code: string | undefined;
  readonly constraint: string | undefined;
}

export function toldError(thrown: unknown): ToldError {
  if (!(thrown instanceof Error)) return { message: String(thrown), code: undefined, constraint: undefined };
  const { message, code, constraint } = thrown as Error & Partial<SqlError>;
  return { message, code, constraint };
}

/** What a failed statement rejects with: detail and context of the database stay behind, as they quote parameters. */
export function sqlError({ message, code, constraint }: Partial<ToldError>): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code, constraint });
}

/** The SQLSTATE of what a query rejected with, or `null` when it was not the statement that failed. */
export function sqlStateOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error)) return null;
  const { code } = thrown as Partial<SqlError>;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
