import { type HookPoint, pluginDefaults } from '@sallyport/contracts';
import { err } from '#foundation';
import type { Redis } from '#storage';
import { byAge, type EntryList } from '../entries.ts';
import { type AskedEndpoint, accessHook } from './access-hook.ts';
import { postHook, preHook } from './call-hook.ts';
import type { HookEntry, KeptHook, KeptPlugin, PluginEntry } from './contract.ts';
import { groupAccess } from './group-access.ts';
import { endpointOf } from './laid-down.ts';
import { rateLimit } from './rate-limit.ts';
import type { AccessStep, HookOf, PostStep, PreStep } from './steps.ts';
import { createWebhook, type Webhook, type WebhookDeps } from './webhook.ts';

/** Who is asked at each point of a project, in order. */
export interface Plan {
  readonly access: readonly AccessStep[];
  readonly pre: readonly PreStep[];
  readonly post: readonly PostStep[];
}

export interface PlanDeps extends WebhookDeps {
  readonly plugins: EntryList<KeptPlugin>;
  readonly hooks: EntryList<KeptHook>;
  /** Where replicas count together; `null`: each for itself. */
  readonly redis: Redis | null;
}

type Step = AccessStep | PreStep | PostStep;

/** Compiles when something changes; what did not change goes on with all that it keeps. */
export function createPlans(deps: PlanDeps) {
  const { plugins, hooks } = deps;
  const webhooks = new WeakMap<PluginEntry, Webhook>();
  const builtIns = new WeakMap<PluginEntry, BuiltIn>();
  const steps = new WeakMap<HookEntry, { readonly plugin: PluginEntry | null; readonly step: Step }>();
  const plans = new Map<string, { readonly revision: number; readonly plan: Plan }>();

  function webhookOf(plugin: PluginEntry): Webhook {
    const webhook = webhooks.get(plugin) ?? createWebhook(plugin, deps);
    webhooks.set(plugin, webhook);
    return webhook;
  }

  function builtInOf(plugin: PluginEntry): BuiltIn {
    const builtIn = builtIns.get(plugin) ?? makeBuiltIn(plugin, deps);
    builtIns.set(plugin, builtIn);
    return builtIn;
  }

  function stepOf(entry: HookEntry, plugin: PluginEntry | null): Step {
    const known = steps.get(entry);
    if (known !== undefined && known.plugin === plugin) return known.step;
    const step = makeStep({ entry, plugin }, webhookOf, deps);
    steps.set(entry, { plugin, step });
    return step;
  }

  function compile(projectId: string): Plan {
    const active = hooks
      .list(projectId)
      .map((entry): HookOf => ({ entry, plugin: plugins.get(projectId, entry.definition.hook.plugin_id) }))
      .filter(
        ({ entry, plugin }) =>
          isActive(entry.definition.hook) && (plugin === null || isActive(plugin.definition.plugin)),
      )
      .sort(byPriority);
    const builtIn = plugins
      .list(projectId)
      .filter(({ definition: { plugin } }) => isActive(plugin))
      .toSorted(byAge);
    const at = <Kind extends Step>(point: HookPoint): Kind[] => {
      const inPlace = (place: string) => [
        ...builtIn
          .filter(({ definition }) => placeOf(definition, null) === place)
          .flatMap((plugin): readonly Step[] => builtInOf(plugin)[endpointOf[point]]),
        ...active
          .filter(
            ({ entry, plugin }) =>
              entry.definition.hook.hook_point === point &&
              placeOf(plugin?.definition ?? null, entry) === place,
          )
          .map(({ entry, plugin }) => stepOf(entry, plugin)),
      ];
      return ['before', 'project', 'after'].flatMap(inPlace) as Kind[];
    };
    return { access: at('tool.access'), pre: at('tool.pre'), post: at('tool.post') };
  }

  plugins.onChange((before) => {
    if (before === null) return;
    webhooks.get(before)?.retire();
    builtIns.get(before)?.retire();
  });

  return {
    of(projectId: string): Plan {
      const revision = plugins.revision() + hooks.revision();
      const known = plans.get(projectId);
      if (known?.revision === revision) return known.plan;
      const plan = compile(projectId);
      plans.set(projectId, { revision, plan });
      return plan;
    },
    webhookOf,
  };
}

interface BuiltIn {
  readonly access: readonly AccessStep[];
  readonly pre: readonly PreStep[];
  readonly post: readonly PostStep[];
  retire(): void;
}

function makeBuiltIn(plugin: PluginEntry, deps: PlanDeps): BuiltIn {
  const nothing = { access: [], pre: [], post: [], retire() {} };
  switch (plugin.definition.plugin.plugin_type) {
    case 'webhook':
      return nothing;
    case 'rate_limit':
      return { ...nothing, pre: [rateLimit(plugin, deps)] };
    case 'group_access': {
      const step = groupAccess(plugin, deps);
      return { ...nothing, access: [step], retire: step.retire };
    }
  }
}

function makeStep(of: HookOf, webhookOf: (plugin: PluginEntry) => Webhook, { clock }: PlanDeps): Step {
  const { hook } = of.entry.definition;
  const endpoint = of.plugin?.definition.plugin.webhook_config?.endpoints[endpointOf[hook.hook_point]];
  const webhook = of.plugin === null || endpoint === undefined ? nobody : webhookOf(of.plugin);
  const asked: AskedEndpoint = {
    url: endpoint?.url ?? '',
    timeoutMs: hook.timeout_ms ?? endpoint?.timeout_ms ?? pluginDefaults.timeout_ms,
    cacheTtlMs:
      endpoint?.cache_enabled === true ? (endpoint.cache_ttl_ms ?? pluginDefaults.cache_ttl_ms) : null,
  };
  if (hook.hook_point === 'tool.access') return accessHook(of, asked, webhook, clock);
  return (hook.hook_point === 'tool.pre' ? preHook : postHook)(of, asked, webhook, clock);
}

/** A hook of a plugin that is not there fails, and its failure mode says what that means. */
const nobody: Webhook = {
  ask: async () => err({ kind: 'refused', reason: 'its plugin is not there, or has no such endpoint' }),
  health: async () => 'unhealthy',
  retire() {},
};

/** The organisation's come first, then the project's, then what the organisation wants asked at the end. */
function placeOf(plugin: KeptPlugin | null, entry: HookEntry | null): 'before' | 'project' | 'after' {
  if (plugin?.binding !== 'tenant') return 'project';
  return entry?.definition.hook.phase === 'after' ? 'after' : 'before';
}

function byPriority({ entry: one }: HookOf, { entry: other }: HookOf): number {
  return (one.definition.hook.priority ?? 0) - (other.definition.hook.priority ?? 0) || byAge(one, other);
}

function isActive({ status }: { readonly status?: 'active' | 'inactive' | undefined }): boolean {
  return status !== 'inactive';
}
