import { z } from 'zod';

/** What commands read of the server's answers; what these have beside that is passed on with `--json`. */

const step = z.looseObject({ step: z.string(), ok: z.boolean(), detail: z.string() });
const workerStatus = z.looseObject({
  state: z.string(),
  message: z.string(),
  failed_step: z.string().nullable(),
  steps: z.array(step),
  tool_count: z.number(),
  quarantined_count: z.number(),
  checked_at: z.string().nullable(),
});
const settings = z.looseObject({ uri: z.string() });

export const worker = z.looseObject({
  id: z.string(),
  type: z.enum(['http', 'mcp']),
  enabled: z.boolean(),
  /** `static`: of the config file. */
  binding: z.object({ type: z.enum(['static', 'project']) }),
  http: settings.optional(),
  mcp: settings.extend({ headers: z.record(z.string(), z.string()).optional() }).optional(),
  status: workerStatus,
});
export type Worker = z.infer<typeof worker>;

export const workerHealth = z.looseObject({ id: z.string(), healthy: z.boolean(), message: z.string() });

export const workerTest = z.looseObject({ success: z.boolean(), message: z.string(), status: workerStatus });
export type WorkerStatus = z.infer<typeof workerStatus>;

export const gateway = z.looseObject({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  url: z.string(),
  description: z.string(),
  status: z.enum(['active', 'inactive']),
  auth_types: z.array(z.string()),
  access: z.string(),
  presentation: z.string(),
  naming: z.string(),
  tool_filter: z.looseObject({ allowed_tools: z.array(z.string()).optional() }),
  binding: z.object({ type: z.enum(['static', 'project']) }),
});
export type Gateway = z.infer<typeof gateway>;

const parameter = z.looseObject({
  name: z.string(),
  required: z.boolean(),
  description: z.string().optional(),
  value_schema: z.looseObject({ val_type: z.string() }),
});
export const tool = z.looseObject({
  name: z.string(),
  qualified_name: z.string(),
  description: z.string(),
  toolkit: z.looseObject({ name: z.string() }),
  input: z.looseObject({ parameters: z.array(parameter) }),
  available: z.boolean(),
  requirements: z.looseObject({ met: z.boolean() }),
});
export type Tool = z.infer<typeof tool>;

export const executed = z.looseObject({
  success: z.boolean(),
  duration: z.number(),
  execution_id: z.string(),
  output: z.looseObject({
    value: z.unknown().optional(),
    error: z.looseObject({ message: z.string(), extra: z.unknown().optional() }).optional(),
  }),
});

export const foundTools = z.looseObject({
  tools: z.array(z.looseObject({ tool: z.string(), summary: z.string(), score: z.number() })),
  advice: z.string().optional(),
});

const problem = z.looseObject({
  code: z.string(),
  severity: z.enum(['down', 'degraded', 'notice']),
  what: z.string(),
  since: z.string().nullable(),
  advice: z.string(),
  docs: z.string(),
});
export const status = z.looseObject({
  status: z.enum(['ok', 'degraded', 'down']),
  problems: z.array(problem),
  version: z.string(),
  project_id: z.string(),
  sources: z.looseObject({ count: z.number(), healthy_count: z.number() }),
  traffic: z.looseObject({
    window_seconds: z.number(),
    allowed: z.number(),
    refused: z.number(),
    failed: z.number(),
  }),
});

export const readiness = z.looseObject({ ready: z.boolean(), missing: z.string().nullable() });

const named = z.object({ name: z.string() });
export const whoami = z.object({
  data: z.object({
    email: z.string(),
    projects: z.array(named.extend({ organization_id: z.string(), project_id: z.string() })),
  }),
});
