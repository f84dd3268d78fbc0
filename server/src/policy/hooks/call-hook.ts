import {
  type HookTrace,
  type PostHookResult,
  type PreHookResult,
  postHookResult,
  preHookResult,
} from '@sallyport/contracts';
import type { z } from 'zod';
import { type Refusal, refusal } from '#domain';
import type { Clock } from '#foundation';
import type { AskedEndpoint } from './access-hook.ts';
import type { HookEntry } from './contract.ts';
import { postBody, preBody } from './payload.ts';
import {
  type Asked,
  durationOf,
  type HookOf,
  hookFailed,
  type PostOverride,
  type PostStep,
  type PreOverride,
  type PreStep,
  traceOf,
} from './steps.ts';
import type { Answered, Webhook } from './webhook.ts';

const maxMessageLength = 2000;

/** A hook at `tool.pre`. */
export function preHook(of: HookOf, endpoint: AskedEndpoint, webhook: Webhook, clock: Clock): PreStep {
  return {
    ask: (call, secretNames) =>
      askHook(
        of.entry,
        { ...endpoint, webhook, clock, schema: preHookResult, signal: call.signal },
        preBody(call, secretNames),
        preOverride,
      ),
  };
}

/** A hook at `tool.post`. */
export function postHook(of: HookOf, endpoint: AskedEndpoint, webhook: Webhook, clock: Clock): PostStep {
  return {
    ask: (call, secretNames) =>
      askHook(
        of.entry,
        { ...endpoint, webhook, clock, schema: postHookResult, signal: call.signal },
        postBody(call, secretNames),
        postOverride,
      ),
  };
}

function preOverride({ override }: PreHookResult): PreOverride {
  return {
    inputs: override?.inputs ?? null,
    secrets: (override?.secrets ?? []).flatMap((one) => Object.entries(one)),
  };
}

function postOverride({ override }: PostHookResult): PostOverride {
  return { output: override != null && 'output' in override ? { value: override.output } : null };
}

interface How<Result> extends AskedEndpoint {
  readonly webhook: Webhook;
  readonly clock: Clock;
  readonly schema: z.ZodType<Result>;
  readonly signal: AbortSignal | null;
}

async function askHook<Result extends PreHookResult | PostHookResult, Override extends object>(
  entry: HookEntry,
  { url, timeoutMs, webhook, clock, schema, signal }: How<Result>,
  body: string,
  overrideOf: (result: Result) => Override,
): Promise<Asked<Override>> {
  const startedAt = clock.monotonic();
  const answered = await webhook.ask({ url, body, timeoutMs, schema, signal });
  const timing = { duration_ms: durationOf(clock, startedAt) };
  if (!answered.ok) {
    const { kind, reason } = answered.error;
    const trace = traceOf(entry, 'failed', { ...timing, error: reason });
    const passes = entry.definition.hook.failure_mode === 'fail_open' && kind !== 'aborted';
    return { trace, refused: passes ? null : hookFailed(entry, reason), override: null };
  }
  const { answer } = answered.value;
  if (answer.code !== 'OK')
    return {
      trace: traceOf(entry, answer.code, timing),
      refused: denied(entry, answered.value),
      override: null,
    };
  const override = overrideOf(answer);
  const changed = changedBy(override);
  const more: Partial<HookTrace> = changed.length === 0 ? {} : { override: changed };
  return { trace: traceOf(entry, 'OK', { ...timing, ...more }), refused: null, override };
}

/** Names of what it overrides, never what it says. */
function changedBy(override: object): string[] {
  return Object.entries(override).flatMap(([name, value]) =>
    value === null || (Array.isArray(value) && value.length === 0) ? [] : [name],
  );
}

/** The hook's own words are for the caller; a record of them could hold what the call was about. */
function denied(
  { id, definition: { hook } }: HookEntry,
  { answer: { code, error_message }, retryAfterMs }: Answered<PreHookResult | PostHookResult>,
): Refusal {
  const isLimit = code === 'RATE_LIMIT_EXCEEDED';
  const otherwise = isLimit ? 'there were too many calls; try again later' : 'a check refused the call';
  const said = (error_message ?? '').slice(0, maxMessageLength).toWellFormed().trim();
  return refusal(isLimit ? 'policy.rate_limited' : 'policy.hook_denied', said === '' ? otherwise : said, {
    reason: `hook ${JSON.stringify(hook.name)} (${id}) said ${code}`,
    ...(isLimit && retryAfterMs !== null ? { retryAfterMs } : {}),
    ...(hook.hook_point === 'tool.post' ? { details: { tool_ran: true } } : {}),
  });
}
