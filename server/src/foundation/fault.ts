/**
 * Something went wrong that no caller can handle. Message and detail are for operators; a caller only ever
 * gets the code `internal` and a request id.
 */
export class Fault extends Error {
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(message: string, options: { cause?: unknown; detail?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.detail = options.detail ?? {};
  }
}

/** The message of whatever was thrown, for a log line or a status. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
