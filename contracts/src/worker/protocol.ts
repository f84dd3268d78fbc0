import { z } from 'zod';

/**
 * The worker protocol, engine ⇄ worker, as Arcade's Python and TypeScript workers speak it. Real workers emit `null`
 * where a field is not set, or leave it out: both are accepted everywhere and read as "not set".
 */

const text = z.string();
const maybe = <T extends z.ZodType>(type: T) =>
  type
    .nullish()
    .transform((value) => value ?? null)
    .prefault(null);

export const valueTypes = ['string', 'integer', 'number', 'boolean', 'json', 'array'] as const;
export type ValueType = (typeof valueTypes)[number];

/** The type of one value. `properties` describe a `json` value, `inner_…` the elements of an `array`. */
export interface ValueSchema {
  val_type: ValueType;
  inner_val_type?: ValueType | null | undefined;
  enum?: string[] | null | undefined;
  properties?: Record<string, ValueSchema> | null | undefined;
  inner_properties?: Record<string, ValueSchema> | null | undefined;
  description?: string | null | undefined;
  required_keys?: string[] | null | undefined;
  inner_required_keys?: string[] | null | undefined;
  nullable?: boolean | null | undefined;
}

export const valueSchema: z.ZodType<ValueSchema> = z.lazy(() =>
  z.object({
    val_type: z.enum(valueTypes),
    inner_val_type: z.enum(valueTypes).nullish(),
    enum: z.array(text).nullish(),
    properties: z.record(text, valueSchema).nullish(),
    inner_properties: z.record(text, valueSchema).nullish(),
    description: text.nullish(),
    required_keys: z.array(text).nullish(),
    inner_required_keys: z.array(text).nullish(),
    nullable: z.boolean().nullish(),
  }),
);

export const toolParameter = z.object({
  name: text.min(1),
  required: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  description: text.nullish(),
  inferrable: z
    .boolean()
    .nullish()
    .transform((value) => value ?? true),
  value_schema: valueSchema,
});
export type ToolParameter = z.infer<typeof toolParameter>;

export const toolRequirements = z.object({
  authorization: maybe(
    z.object({
      provider_id: text.nullish(),
      provider_type: text.nullish(),
      id: text.nullish(),
      oauth2: z.object({ scopes: z.array(text).nullish() }).nullish(),
    }),
  ),
  secrets: maybe(z.array(z.object({ key: text }))),
  metadata: maybe(z.array(z.object({ key: text }))),
});
export type ToolRequirements = z.infer<typeof toolRequirements>;

export const noRequirements: ToolRequirements = { authorization: null, secrets: null, metadata: null };

export const toolMetadata = z.object({
  classification: z.looseObject({ service_domains: z.array(text).nullish() }).nullish(),
  behavior: z
    .looseObject({
      operations: z.array(text).nullish(),
      read_only: z.boolean().nullish(),
      destructive: z.boolean().nullish(),
      idempotent: z.boolean().nullish(),
      open_world: z.boolean().nullish(),
    })
    .nullish(),
  extras: z.record(text, z.unknown()).nullish(),
});
export type ToolMetadata = z.infer<typeof toolMetadata>;

/** One entry of `GET /worker/tools`. */
export const toolDefinition = z.object({
  name: text.min(1),
  fully_qualified_name: text.nullish(),
  description: text.nullish(),
  toolkit: z.object({ name: text.min(1), description: text.nullish(), version: text.nullish() }),
  input: z.object({ parameters: z.array(toolParameter).nullish() }).nullish(),
  output: z
    .object({
      description: text.nullish(),
      available_modes: z.array(text).nullish(),
      value_schema: valueSchema.nullish(),
    })
    .nullish(),
  requirements: toolRequirements.nullish(),
  deprecation_message: text.nullish(),
  metadata: toolMetadata.nullish(),
});
export type ToolDefinition = z.infer<typeof toolDefinition>;

export const toolErrorKinds = [
  'TOOLKIT_LOAD_FAILED',
  'TOOL_DEFINITION_BAD_DEFINITION',
  'TOOL_DEFINITION_BAD_INPUT_SCHEMA',
  'TOOL_DEFINITION_BAD_OUTPUT_SCHEMA',
  'TOOL_REQUIREMENTS_NOT_MET',
  'TOOL_RUNTIME_BAD_INPUT_VALUE',
  'TOOL_RUNTIME_BAD_OUTPUT_VALUE',
  'TOOL_RUNTIME_RETRY',
  'TOOL_RUNTIME_CONTEXT_REQUIRED',
  'TOOL_RUNTIME_FATAL',
  'CONTEXT_CHECK_FAILED',
  'CONTEXT_DENIED',
  'UPSTREAM_RUNTIME_BAD_REQUEST',
  'UPSTREAM_RUNTIME_AUTH_ERROR',
  'UPSTREAM_RUNTIME_NOT_FOUND',
  'UPSTREAM_RUNTIME_VALIDATION_ERROR',
  'UPSTREAM_RUNTIME_RATE_LIMIT',
  'UPSTREAM_RUNTIME_SERVER_ERROR',
  'UPSTREAM_RUNTIME_UNMAPPED',
  'NETWORK_TRANSPORT_RUNTIME_TIMEOUT',
  'NETWORK_TRANSPORT_RUNTIME_UNREACHABLE',
  'NETWORK_TRANSPORT_RUNTIME_UNMAPPED',
  'UNKNOWN',
] as const;
export type ToolErrorKind = (typeof toolErrorKinds)[number];

/** Why a tool failed. `kind` is upper case whatever case the worker used. `stacktrace` only where it was asked for. */
export interface ToolError {
  message: string;
  kind: ToolErrorKind;
  can_retry: boolean;
  developer_message?: string | null;
  additional_prompt_content?: string | null;
  retry_after_ms?: number | null;
  status_code?: number | null;
  stacktrace?: string | null;
  extra?: Record<string, unknown> | null;
}

export interface ToolLog {
  message: string;
  level: string;
  subtype?: string | null;
}

/** What a worker's tool returned: a value, or an error. */
export interface WorkerToolOutput {
  value?: unknown;
  error?: ToolError | null;
  logs?: ToolLog[] | null;
  requires_authorization?: Record<string, unknown> | null;
}

/** Body of `POST /worker/tools/invoke`. */
export const invokeRequest = z.object({
  run_id: text.nullish(),
  execution_id: text.nullish(),
  created_at: text.nullish(),
  tool: z.object({ name: text.min(1), toolkit: text.nullish(), version: text.nullish() }),
  inputs: z.record(text, z.unknown()).nullish(),
  context: z
    .object({
      user_id: text.nullish(),
      authorization: z
        .object({ token: text.nullish(), user_info: z.record(text, z.unknown()).nullish() })
        .nullish(),
      secrets: z.array(z.object({ key: text, value: text })).nullish(),
      metadata: z.array(z.object({ key: text, value: text })).nullish(),
    })
    .nullish(),
});
export type InvokeRequest = z.infer<typeof invokeRequest>;

/** Answer of `POST /worker/tools/invoke`; a failed tool is HTTP 200 with `success: false`. */
export interface InvokeResponse {
  execution_id: string;
  /** ISO 8601; Python's has no zone and means UTC. */
  finished_at: string;
  /** Milliseconds. */
  duration: number;
  success: boolean;
  output: WorkerToolOutput | null;
}
