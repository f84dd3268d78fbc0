import type { ToolErrorKind } from '@sallyport/contracts';

export interface ToolErrorDetails {
  kind?: ToolErrorKind;
  canRetry?: boolean;
  /** For whoever operates the tool; never shown to the model. */
  developerMessage?: string;
  /** Added to what the model reads, to help it do better on its next try. */
  additionalPromptContent?: string;
  retryAfterMs?: number;
  statusCode?: number;
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** A failure with a message meant for the caller. Any other exception reaches the caller without its message. */
export class ToolError extends Error {
  readonly kind: ToolErrorKind;
  readonly canRetry: boolean;
  readonly developerMessage: string | null;
  readonly additionalPromptContent: string | null;
  readonly retryAfterMs: number | null;
  readonly statusCode: number | null;
  readonly extra: Record<string, unknown> | null;

  constructor(message: string, details: ToolErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.kind = details.kind ?? 'TOOL_RUNTIME_FATAL';
    this.canRetry = details.canRetry ?? false;
    this.developerMessage = details.developerMessage ?? null;
    this.additionalPromptContent = details.additionalPromptContent ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.statusCode = details.statusCode ?? null;
    this.extra = details.extra ?? null;
  }
}

/** The model may call again, usually with other input. */
export class RetryableToolError extends ToolError {
  constructor(message: string, details: Omit<ToolErrorDetails, 'kind' | 'canRetry'> = {}) {
    super(message, { ...details, kind: 'TOOL_RUNTIME_RETRY', canRetry: true });
  }
}

/** Calling again will not help. */
export class FatalToolError extends ToolError {
  constructor(message: string, details: Omit<ToolErrorDetails, 'kind' | 'canRetry'> = {}) {
    super(message, { statusCode: 500, ...details, kind: 'TOOL_RUNTIME_FATAL', canRetry: false });
  }
}

/** The call needs something from the user or the model first; `additionalPromptContent` says what. */
export class ContextRequiredToolError extends ToolError {
  constructor(
    message: string,
    details: Omit<ToolErrorDetails, 'kind' | 'canRetry'> & { additionalPromptContent: string },
  ) {
    super(message, { ...details, kind: 'TOOL_RUNTIME_CONTEXT_REQUIRED', canRetry: false });
  }
}

/** A service that the tool called answered with an error; the HTTP status decides the kind and whether to retry. */
export class UpstreamError extends ToolError {
  constructor(
    message: string,
    details: Omit<ToolErrorDetails, 'kind' | 'canRetry'> & { statusCode: number },
  ) {
    const status = details.statusCode;
    super(message, { ...details, kind: upstreamKind(status), canRetry: status >= 500 || status === 429 });
  }
}

/** A service that the tool called gave no answer: `timeout`, not in time; `unreachable`, not at all. */
export class NetworkTransportError extends ToolError {
  constructor(
    message: string,
    details: Omit<ToolErrorDetails, 'kind'> & { reason?: 'timeout' | 'unreachable' } = {},
  ) {
    const { reason, ...others } = details;
    super(message, { canRetry: true, ...others, kind: transportKinds[reason ?? 'other'] });
  }
}

const transportKinds = {
  timeout: 'NETWORK_TRANSPORT_RUNTIME_TIMEOUT',
  unreachable: 'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  other: 'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
} as const;

function upstreamKind(status: number): ToolErrorKind {
  if (status === 401 || status === 403) return 'UPSTREAM_RUNTIME_AUTH_ERROR';
  if (status === 404) return 'UPSTREAM_RUNTIME_NOT_FOUND';
  if (status === 429) return 'UPSTREAM_RUNTIME_RATE_LIMIT';
  if (status >= 500) return 'UPSTREAM_RUNTIME_SERVER_ERROR';
  if (status >= 400) return 'UPSTREAM_RUNTIME_BAD_REQUEST';
  return 'UPSTREAM_RUNTIME_UNMAPPED';
}
