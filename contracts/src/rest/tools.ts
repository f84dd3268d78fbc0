import { z } from 'zod';
import type { ToolError, ToolLog, ToolMetadata, ValueSchema } from '../worker/protocol.ts';
import type { AuthorizationStatus } from './auth.ts';
import { pageQuery } from './page.ts';

/** Requests and answers of `/v1/tools` and `/v1/formatted_tools`. */

const flag = z.enum(['true', 'false']).default('false');
export const userId = z.string().min(1).max(256);
const toolName = z.string().min(1).max(512);
const toolVersion = z.string().max(256);

export const toolFormats = ['arcade', 'openai', 'anthropic'] as const;
export type ToolFormat = (typeof toolFormats)[number];

const which = {
  toolkit: z.string().optional(),
  user_id: userId.optional(),
  include_all_versions: flag,
  /** JSON, see `toolFilter`. */
  filter: z.string().max(10_000).optional(),
};

const toolGetFields = {
  user_id: userId.optional(),
  /** `arcade`, `openai`, `anthropic`, joined by commas. */
  include_format: z
    .string()
    .optional()
    .transform((text) => (text ?? '').split(',').filter((part) => part !== ''))
    .pipe(z.array(z.enum(toolFormats))),
};

export const listToolsQuery = pageQuery.extend({ ...which, ...toolGetFields });
export const getToolQuery = z.object(toolGetFields);

const format = z.enum(['openai', 'anthropic']).default('openai');
export const listFormattedToolsQuery = pageQuery.extend({ ...which, format });
export const getFormattedToolQuery = z.object({ user_id: userId.optional(), format });

const words = z
  .union([
    z.array(z.string()),
    z.strictObject({
      any_of: z.array(z.string()).optional(),
      all_of: z.array(z.string()).optional(),
      none_of: z.array(z.string()).optional(),
    }),
  ])
  .optional();

/** The `filter` parameter. An array is short for `{any_of: […]}`. Words ignore case; `extras` do not. */
export const toolFilter = z.strictObject({
  service_domains: words,
  operations: words,
  read_only: z.boolean().optional(),
  destructive: z.boolean().optional(),
  idempotent: z.boolean().optional(),
  open_world: z.boolean().optional(),
  extras: z.record(z.string(), z.unknown()).optional(),
});
export type ToolFilter = z.infer<typeof toolFilter>;

/** `POST /v1/tools/execute`. A call acts as a user, so `user_id` is needed although the schema of Arcade leaves it open. */
export const executeToolRequest = z.strictObject({
  tool_name: toolName,
  tool_version: toolVersion.optional(),
  input: z.record(z.string(), z.unknown()).nullable().optional(),
  user_id: userId.optional(),
  include_error_stacktrace: z.boolean().optional(),
  run_at: z.undefined({ error: 'scheduled execution is not supported; leave it out to run now' }).optional(),
});
export type ExecuteToolRequest = z.infer<typeof executeToolRequest>;

/** `POST /v1/tools/requirements`. `authorize`: begins every consent that is missing. */
export const toolRequirementsRequest = z.strictObject({
  tools: z
    .array(z.strictObject({ tool_name: toolName, tool_version: toolVersion.nullish() }))
    .max(1000)
    .nullish(),
  tool_names: z.array(toolName).max(1000).nullish(),
  user_id: userId.nullish(),
  authorize: z.boolean().nullish(),
});
export type ToolRequirementsRequest = z.infer<typeof toolRequirementsRequest>;

export interface ToolResponse {
  name: string;
  qualified_name: string;
  fully_qualified_name: string;
  description: string;
  toolkit: { name: string; description?: string; version?: string };
  input: {
    parameters: {
      name: string;
      required: boolean;
      description?: string;
      inferrable: boolean;
      value_schema: ValueSchema;
    }[];
  };
  output: { available_modes: string[]; description?: string; value_schema?: ValueSchema };
  /** False while its source does not answer, or lists it no longer. */
  available: boolean;
  requirements: {
    met: boolean;
    authorization?: {
      id?: string;
      provider_id?: string;
      provider_type?: string;
      oauth2?: { scopes: string[] };
      status: 'active' | 'inactive';
      status_reason?: string;
      /** Only where the request names a user, or its credential stands for one. */
      token_status?: AuthorizationStatus;
    };
    secrets?: { key: string; met: boolean; status_reason?: string }[];
  };
  metadata?: ToolMetadata;
  formatted_schema?: Record<string, unknown>;
}

export interface ExecuteToolResponse {
  /** `te_…`, the same as `execution_id`. */
  id: string;
  execution_id: string;
  execution_type: 'immediate';
  status: 'success' | 'failed';
  success: boolean;
  /** Milliseconds. */
  duration: number;
  finished_at: string;
  output: { value?: unknown; error?: ToolError; logs?: ToolLog[]; authorization?: Record<string, unknown> };
}

export interface ToolRequirementsResponse {
  met: boolean;
  authorization: {
    met: boolean;
    items: Record<
      string,
      {
        provider_id?: string;
        provider_type?: string;
        /** Of all these tools together. */
        scopes: string[];
        status: 'active' | 'inactive';
        status_reason?: string;
        /** As in `ToolResponse`. */
        token_status?: AuthorizationStatus;
        met: boolean;
        /** Where the user is being asked, and by which address. */
        authorization_id?: string;
        url?: string;
        tool_names: string[];
      }
    >;
  };
  secrets: {
    met: boolean;
    items: Record<string, { met: boolean; status_reason?: string; tool_names: string[] }>;
  };
}
