import { setTimeout as sleep } from 'node:timers/promises';
import type { HookTrace } from '@sallyport/contracts';
import type { Refusal } from '#domain';
import type { Egress } from '#egress';
import { type Clock, err, type Members, ok } from '#foundation';
import type { Redis } from '#storage';
import { createMetrics, type Metrics } from '#telemetry';
import type { Entries } from '../entries.ts';
import type { HookRegister, Hooks, KeptHook, KeptPlugin, Plugins } from './contract.ts';
import { createHealth } from './health.ts';
import { secretNamesOf } from './payload.ts';
import { createPlans } from './plan.ts';
import { createRegister } from './register.ts';
import type { Asked, PostOverride } from './steps.ts';
import { timedAsk } from './timed-ask.ts';
import type { WebhookDeps } from './webhook.ts';

export interface HooksDeps {
  readonly plugins: Entries<KeptPlugin>;
  readonly hooks: Entries<KeptHook>;
  readonly egress: Egress;
  /** Where replicas count together; `null`: each for itself. */
  readonly redis: Redis | null;
  readonly clock: Clock;
  /** Its own unless told. */
  readonly metrics?: Metrics;
  /** What users see may have changed. */
  readonly onAccessChanged: (projectId: string) => void;
  /** Replaces the wait between two attempts, in tests. */
  readonly wait?: WebhookDeps['wait'];
}

export interface HooksParts {
  readonly asking: Hooks;
  readonly plugins: Plugins;
  readonly hooks: HookRegister;
}

export function createHooks(deps: HooksDeps): HooksParts {
  const ask = timedAsk(deps.metrics ?? createMetrics(), deps.clock);
  const plans = createPlans({ ...deps, wait: deps.wait ?? waitFor });
  const health = createHealth(deps.plugins, plans.webhookOf, deps.clock);
  tellOfAccess(deps);

  const asking: Hooks = {
    has: (projectId, point) => plans.of(projectId)[point].length > 0,

    async access(projectId, subject, tools, signal) {
      const traces: HookTrace[] = [];
      let left = tools;
      for (const step of plans.of(projectId).access) {
        if (left.length === 0) break;
        const { allows, trace } = await ask(() => step.ask(subject, left, signal));
        traces.push(trace);
        left = left.filter(allows);
      }
      const allowed = new Set(left);
      return { allows: (tool) => allowed.has(tool), traces };
    },

    async pre(call) {
      const traces: HookTrace[] = [];
      const secrets = new Map<string, string>();
      let args: Members | null = null;
      for (const step of plans.of(call.tool.projectId).pre) {
        const names = new Set([...secretNamesOf(call.tool), ...secrets.keys()]);
        const asked = await ask(() => step.ask({ ...call, args: args ?? call.args }, [...names]));
        traces.push(asked.trace);
        if (asked.refused !== null) return refused(asked.refused, traces);
        const { inputs = null, secrets: given = [] } = asked.override ?? {};
        if (inputs !== null) args = { ...(args ?? call.args), ...inputs };
        for (const [key, value] of given) secrets.set(key, value);
      }
      return ok({ args, secrets: [...secrets].map(([key, value]) => ({ key, value })), traces });
    },

    async post(call) {
      const traces: HookTrace[] = [];
      let output: { readonly value: unknown } | null = null;
      for (const step of plans.of(call.tool.projectId).post) {
        const now = output === null ? call : { ...call, output: output.value };
        const asked: Asked<PostOverride> = await ask(() => step.ask(now, secretNamesOf(call.tool)));
        traces.push(asked.trace);
        if (asked.refused !== null) return refused(asked.refused, traces);
        output = asked.override?.output ?? output;
      }
      return ok({ output, traces });
    },

    close: health.close,
  };
  return { asking, ...createRegister({ ...deps, healthOf: health.of }) };
}

function refused(refusal: Refusal, traces: readonly HookTrace[]) {
  return err({ ...refusal, traces });
}

/** Listening clients hear of it; of plugins that nobody asks about access they need not. */
function tellOfAccess({ plugins, hooks, onAccessChanged }: HooksDeps): void {
  hooks.onChange((before, after) => {
    const asking = [before, after].find((entry) => entry?.definition.hook.hook_point === 'tool.access');
    if (asking != null) onAccessChanged(asking.projectId);
  });
  plugins.onChange((before, after) => {
    const one = after ?? before;
    if (one === null) return;
    const isAsked =
      one.definition.plugin.plugin_type === 'group_access' ||
      hooks
        .list(one.projectId)
        .some(({ definition: { hook } }) => hook.plugin_id === one.id && hook.hook_point === 'tool.access');
    if (isAsked) onAccessChanged(one.projectId);
  });
}

function waitFor(ms: number, signal: AbortSignal | null): Promise<void> {
  return sleep(ms, undefined, signal === null ? {} : { signal });
}
