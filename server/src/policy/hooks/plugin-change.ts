import {
  authTypeOf,
  type HookPoint,
  hookPoints,
  type PluginDefinition,
  pluginDefinition,
  type UpdatePluginRequest,
  type WebhookAuth,
} from '@sallyport/contracts';
import { type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { endpointOf, type HookConduct, withoutUndefined } from './laid-down.ts';

interface Changed {
  readonly plugin: PluginDefinition;
  /** What was said of hooks, by their points. */
  readonly conducts: ReadonlyMap<HookPoint, HookConduct>;
}

/** A plugin as a change leaves it: what is left out stays. */
export function changedPlugin(
  before: PluginDefinition,
  change: UpdatePluginRequest,
): Result<Changed, Refusal> {
  const { webhook_config: webhook, retry, group_access_config: access, ...plain } = change;
  const merged: Record<string, unknown> = { ...before, ...plain };
  let conducts: Changed['conducts'] = new Map();
  if (retry !== undefined) merged.retry = { ...before.retry, ...retry };
  if (access !== undefined) merged.group_access_config = changedAccess(before.group_access_config, access);
  if (webhook !== undefined) {
    const changed = changedEndpoints(before.webhook_config?.endpoints ?? {}, webhook.endpoints ?? {});
    if (!changed.ok) return changed;
    conducts = changed.value.conducts;
    const { endpoints } = changed.value;
    const auth = changedAuth(before.webhook_config?.auth, webhook.auth);
    merged.webhook_config = withoutUndefined({ ...before.webhook_config, ...webhook, endpoints, auth });
  }
  const checked = pluginDefinition.safeParse(withoutUndefined(merged));
  if (checked.success) return ok({ plugin: checked.data, conducts });
  const { path = [], message = '' } = checked.error.issues[0] ?? {};
  return err(
    invalid(path.map(String).join('.'), /received undefined$/.test(message) ? 'is required' : message),
  );
}

type Webhook = NonNullable<UpdatePluginRequest['webhook_config']>;

function changedEndpoints(before: object, change: NonNullable<Webhook['endpoints']>) {
  const endpoints: Record<string, unknown> = { ...before };
  const conducts = new Map<HookPoint, HookConduct>();
  for (const point of hookPoints) {
    const name = endpointOf[point];
    const given = change[name];
    if (given === undefined) continue;
    const { failure_mode, phase, priority, status, ...rest } = given;
    const conduct: HookConduct = { failure_mode, phase, priority, status };
    for (const field of ['failure_mode', 'phase'] as const)
      if (endpoints[name] === undefined && conduct[field] === undefined)
        return err(invalid(`webhook_config.endpoints.${name}.${field}`, 'is required for a new endpoint'));
    endpoints[name] = { ...(endpoints[name] as object), ...rest };
    if (Object.values(conduct).some((one) => one !== undefined)) conducts.set(point, conduct);
  }
  return ok({ endpoints, conducts });
}

/** Credentials of another kind are dropped. */
function changedAuth(
  before: WebhookAuth | undefined,
  change: WebhookAuth | undefined,
): WebhookAuth | undefined {
  if (change === undefined) return before;
  const type = change.type ?? (before === undefined ? authTypeOf(change) : authTypeOf(before));
  const { token, client_cert, client_key, ca_cert } = { ...before, ...change };
  const own = { bearer: { token }, mtls: { client_cert, client_key }, none: {} }[type];
  // What is given and does not belong to the kind is left for the schema to refuse.
  return withoutUndefined({ ca_cert, ...own, ...change, type });
}

type Access = NonNullable<UpdatePluginRequest['group_access_config']>;

/** Another backend begins anew; of the same one, secrets that are left out stay. */
function changedAccess(before: PluginDefinition['group_access_config'], change: Access): unknown {
  const backend = change.backend ?? before?.backend;
  const { okta, entra, sailpoint, rules = before?.rules } = change;
  const given = withoutUndefined({ okta, entra, sailpoint });
  const kept = backend !== undefined && backend === before?.backend ? before[backend] : undefined;
  const own = backend === undefined ? {} : { [backend]: mergedOrNone(kept, change[backend]) };
  return withoutUndefined({ ...given, ...own, backend, rules });
}

function mergedOrNone(before: object | undefined, change: object | undefined): object | undefined {
  return before === undefined && change === undefined ? undefined : { ...before, ...change };
}

function invalid(field: string, message: string): Refusal {
  return refusal('request.params_invalid', `${field}: ${message}`, { field });
}
