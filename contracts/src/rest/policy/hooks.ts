import { z } from 'zod';
import { pageQuery } from '../page.ts';
import { entryName } from './parts.ts';

/** Requests and answers of `/v1/hooks`: when which plugin is asked. */

export const hookPoints = ['tool.access', 'tool.pre', 'tool.post'] as const;
export type HookPoint = (typeof hookPoints)[number];

export const bindingType = z.enum(['project', 'tenant']);
export type BindingType = z.infer<typeof bindingType>;
/** `tenant`: of the organisation. */
export const bindingQuery = z.object({ binding_type: bindingType.optional() });

export const activeOrNot = z.enum(['active', 'inactive']);
const hookTimeoutMs = z.int().min(100).max(30_000);

/** What the endpoints of a plugin say of their hooks, too. */
export const hookConduct = {
  failure_mode: z.enum(['fail_closed', 'fail_open']),
  /** Of hooks of the organisation: before or after those of the project. */
  phase: z.enum(['before', 'after']),
  /** The lower, the earlier; 0 where it is left out. */
  priority: z.int().min(0).max(1000).optional(),
  status: activeOrNot.optional(),
};

const pluginId = z.string().min(1).max(100);

export const createHookRequest = z.strictObject({
  name: entryName.min(1),
  plugin_id: pluginId,
  hook_point: z.enum(hookPoints),
  ...hookConduct,
  /** That of the plugin's endpoint, where it is left out. */
  timeout_ms: hookTimeoutMs.optional(),
});
export type CreateHookRequest = z.infer<typeof createHookRequest>;

/** An entry of `hooks` in the config file. */
export const declaredHookRequest = createHookRequest;
export type DeclaredHookRequest = CreateHookRequest;

export const updateHookRequest = z.strictObject({
  failure_mode: hookConduct.failure_mode.optional(),
  phase: hookConduct.phase.optional(),
  priority: hookConduct.priority,
  status: hookConduct.status,
  timeout_ms: hookTimeoutMs.optional(),
});
export type UpdateHookRequest = z.infer<typeof updateHookRequest>;

/** `PATCH /v1/hooks/bulk`: all of them, or none. A hook that is not there yet is made, `fail_closed` and `before` unless told. */
export const upsertHooksRequest = z.strictObject({
  configs: z
    .array(
      updateHookRequest
        .omit({ timeout_ms: true })
        .extend({ plugin_id: pluginId, hook_point: z.enum(hookPoints) }),
    )
    .min(1)
    .max(100),
});
export type UpsertHooksRequest = z.infer<typeof upsertHooksRequest>;

export const hooksQuery = pageQuery.extend({
  hook_point: z.enum(hookPoints).optional(),
  plugin_id: pluginId.optional(),
  status: activeOrNot.optional(),
  binding_type: bindingType.optional(),
});

export interface HookResponse {
  id: string;
  name: string;
  plugin_id: string;
  hook_point: HookPoint;
  phase: 'before' | 'after';
  priority: number;
  failure_mode: 'fail_closed' | 'fail_open';
  status: 'active' | 'inactive';
  timeout_ms: number;
  cache_enabled: boolean;
  cache_ttl_ms?: number;
  version: number;
  created_at?: string;
  updated_at?: string;
}

export interface UpsertHooksResponse {
  success: number;
  failed: number;
  results: {
    plugin_id: string;
    hook_point: HookPoint;
    hook_id?: string;
    action: 'created' | 'updated' | 'none';
    error?: string;
  }[];
}
