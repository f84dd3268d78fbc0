import { z } from 'zod';

/**
 * The webhook contract, engine ⇄ hook server (logic extensions 1.1.1-beta). Servers written in Go emit `null` where a field is
 * not set, or leave it out: both are accepted and read as "not set".
 */

export const hookCodes = ['OK', 'CHECK_FAILED', 'RATE_LIMIT_EXCEEDED'] as const;
export type HookCode = (typeof hookCodes)[number];

export interface HookToolMetadata {
  classification?: { service_domains?: string[] };
  behavior?: {
    operations?: string[];
    read_only?: boolean;
    destructive?: boolean;
    idempotent?: boolean;
    open_world?: boolean;
  };
  extras?: Record<string, unknown>;
}

interface HookToolVersion {
  requirements: {
    authorization?: { provider_id?: string; provider_type?: string; oauth2?: { scopes: string[] } }[];
    secrets?: { name: string }[];
  };
  version: string;
  metadata?: HookToolMetadata;
}
/** Toolkit → tool → its versions. */
export type HookToolkits = Record<string, { tools: Record<string, HookToolVersion[]> }>;

/** Body of `POST /access`. */
export interface AccessHookRequest {
  user_id: string;
  toolkits: HookToolkits;
}

/** Body of `POST /pre`. Of secrets only the names. */
export interface PreHookRequest {
  execution_id: string;
  tool: { name: string; toolkit: string; version: string; metadata?: HookToolMetadata };
  inputs: Readonly<Record<string, unknown>>;
  context: {
    user_id: string;
    authorization: readonly HookAuthorization[];
    secrets: string[];
    metadata: Record<string, unknown>;
  };
}

/** What the user authorized and the tool will get, but for the token itself. */
export interface HookAuthorization {
  provider_id: string;
  oauth2: {
    scopes: readonly string[];
    /** Claims of the access token, where it is a JWT. */
    at?: Readonly<Record<string, unknown>>;
    user_info?: Readonly<Record<string, unknown>>;
  };
}

/** Body of `POST /post`. */
export interface PostHookRequest extends PreHookRequest {
  success: boolean;
  output: unknown;
  execution_code: string;
  execution_error?: string;
}

const toolkits = z.record(
  z.string(),
  z
    .object({
      tools: z.record(z.string(), z.array(z.object({ version: z.string().nullish() })).nullable()).nullish(),
    })
    .nullable(),
);
/** Where `only` is there, `deny` says nothing. */
export const accessHookResult = z.object({ only: toolkits.nullish(), deny: toolkits.nullish() });
export type AccessHookResult = z.infer<typeof accessHookResult>;

const verdict = { code: z.enum(hookCodes), error_message: z.string().nullish() };

export const preHookResult = z.object({
  ...verdict,
  override: z
    .object({
      inputs: z.record(z.string(), z.unknown()).nullish(),
      secrets: z.array(z.record(z.string(), z.string())).nullish(),
    })
    .nullish(),
});
export type PreHookResult = z.infer<typeof preHookResult>;

/** An `output` that is there overrides, even where it is `null`. */
export const postHookResult = z.object({
  ...verdict,
  override: z.object({ output: z.unknown().optional() }).nullish(),
});
export type PostHookResult = z.infer<typeof postHookResult>;

export const healthStatuses = ['healthy', 'degraded', 'unhealthy'] as const;
export type HealthStatus = (typeof healthStatuses)[number];
export const hookHealthResponse = z.object({ status: z.enum(healthStatuses).nullish() });
