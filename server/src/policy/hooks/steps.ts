import type { HookTrace } from '@sallyport/contracts';
import { type Refusal, refusal, type Subject, type Tool } from '#domain';
import type { Clock, Members } from '#foundation';
import type { HookEntry, HookedCall, HookedOutput, PluginEntry } from './contract.ts';

/** Who is asked at one point, in turn. */

export interface AccessStep {
  /** Which of these tools pass. */
  ask(subject: Subject, tools: readonly Tool[], signal: AbortSignal | null): Promise<AccessAsked>;
}
interface AccessAsked {
  allows(tool: Tool): boolean;
  readonly trace: HookTrace;
}

export interface PreStep {
  ask(call: HookedCall, secretNames: readonly string[]): Promise<Asked<PreOverride>>;
}
export interface PreOverride {
  /** They take the place of those of the same name. */
  readonly inputs: Members | null;
  readonly secrets: readonly (readonly [key: string, value: string])[];
}

export interface PostStep {
  ask(call: HookedOutput, secretNames: readonly string[]): Promise<Asked<PostOverride>>;
}
export interface PostOverride {
  readonly output: { readonly value: unknown } | null;
}

export interface Asked<Override> {
  readonly trace: HookTrace;
  readonly refused: Refusal | null;
  /** `null` where it refused, or did not answer and need not. */
  readonly override: Override | null;
}

/** One hook, and the plugin that it asks; `null`: it is not there. */
export interface HookOf {
  readonly entry: HookEntry;
  readonly plugin: PluginEntry | null;
}

export function traceOf(
  { id, definition: { hook } }: HookEntry,
  code: string,
  more: Partial<HookTrace> = {},
): HookTrace {
  return { hook_id: id, plugin_id: hook.plugin_id, hook_point: hook.hook_point, code, ...more };
}

/** What is built in has no hook of its own. */
export function builtInTrace({ id }: PluginEntry, point: string, code: string, error?: string): HookTrace {
  const trace = { hook_id: id, plugin_id: id, hook_point: point, code };
  return error === undefined ? trace : { ...trace, error };
}

export function durationOf(clock: Clock, startedAt: number): number {
  return Math.round(clock.monotonic() - startedAt);
}

export function hookFailed({ id, definition: { hook } }: HookEntry, reason: string): Refusal {
  const ran = hook.hook_point === 'tool.post';
  return refusal(
    'policy.hook_failed',
    ran
      ? 'the tool ran, but a check of its output could not be made, so the output is withheld'
      : 'a check that every call must pass could not be made; try again later',
    {
      reason: `hook ${JSON.stringify(hook.name)} (${id}): ${reason}`,
      ...(ran ? { details: { tool_ran: true } } : {}),
    },
  );
}
