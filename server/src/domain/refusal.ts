import type { ErrorCode } from '@sallyport/contracts';

/**
 * An expected "no". `message` is told to the caller and names what to change; `reason` is only for the audit
 * record and the operator, and may say more.
 */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** The field of the request that is at fault, as a path: `arguments.repo`, `http.uri`. */
  readonly field?: string;
  readonly reason?: string;
  readonly retryAfterMs?: number;
  /** What a program on the caller's side can act upon, beside the words. */
  readonly details?: { readonly [name: string]: unknown };
}

export function refusal(
  code: ErrorCode,
  message: string,
  more: Omit<Refusal, 'code' | 'message'> = {},
): Refusal {
  return { code, message, ...more };
}
