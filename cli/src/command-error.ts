/**
 * What a command could not do, as its user is told: one sentence, and what to do about it. Anything else that is thrown is
 * a fault of ours.
 */
export class CommandError extends Error {
  /** Stable, for `--json`: `spec.invalid`, `cluster.unreachable`. */
  readonly code: string;
  /** Each on a line of its own below the message: places of mistakes, advice. */
  readonly details: readonly string[];

  constructor(code: string, message: string, details: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
