import { createHash } from 'node:crypto';
import { accessHookResult, type HookTrace } from '@sallyport/contracts';
import type { Subject, Tool } from '#domain';
import { type Clock, createSingleFlight, err, ok, type Result } from '#foundation';
import { accessBody, isAllowed, versionOf } from './payload.ts';
import { type AccessStep, durationOf, type HookOf, traceOf } from './steps.ts';
import { createVerdicts } from './verdicts.ts';
import type { Webhook } from './webhook.ts';

/** Tools in one question: so many answers fit into the largest that is read. */
const maxToolsAsked = 1000;

type Allowed = ReadonlySet<string>;
type Found = Result<Allowed, string>;

/** A hook at `tool.access`. Asked about many tools at once; what it said of one is kept apart, so that listing warms calls. */
export function accessHook(of: HookOf, endpoint: AskedEndpoint, webhook: Webhook, clock: Clock): AccessStep {
  const { url, timeoutMs, cacheTtlMs } = endpoint;
  const { entry } = of;
  const verdicts = cacheTtlMs === null ? null : createVerdicts(clock, cacheTtlMs);
  const once = createSingleFlight<Found>();

  async function askPart(
    subject: Subject,
    tools: readonly Tool[],
    signal: AbortSignal | null,
  ): Promise<Found> {
    const body = accessBody(subject, tools);
    const answered = await webhook.ask({ url, body, timeoutMs, schema: accessHookResult, signal });
    if (!answered.ok) return err(answered.error.reason);
    const { answer } = answered.value;
    return ok(new Set(tools.filter((tool) => isAllowed(answer, tool)).map(keyOf)));
  }

  async function ask(subject: Subject, tools: readonly Tool[], signal: AbortSignal | null): Promise<Found> {
    const parts: (readonly Tool[])[] = [];
    for (let at = 0; at < tools.length; at += maxToolsAsked) parts.push(tools.slice(at, at + maxToolsAsked));
    const found = await Promise.all(parts.map((part) => askPart(subject, part, signal)));
    const failed = found.find((one) => !one.ok);
    if (failed !== undefined) return failed;
    return ok(new Set(found.flatMap((one) => (one.ok ? [...one.value] : []))));
  }

  /** Whoever asks the same at the same time waits for the same answer, which no one of them can cancel. */
  function askOnce(subject: Subject, tools: readonly Tool[]): Promise<Found> {
    const user = subject.userId ?? '';
    const key = createHash('sha256')
      .update(JSON.stringify([user, tools.map(keyOf)]))
      .digest('base64');
    return once(key, async () => {
      const found = await ask(subject, tools, null);
      if (found.ok && verdicts !== null)
        for (const tool of tools) verdicts.put(user, keyOf(tool), found.value.has(keyOf(tool)));
      return found;
    });
  }

  function knownOf(subject: Subject, tools: readonly Tool[]): ReadonlyMap<string, boolean> {
    const known = new Map<string, boolean>();
    if (verdicts === null) return known;
    for (const tool of tools) {
      const verdict = verdicts.get(subject.userId ?? '', keyOf(tool));
      if (verdict !== null) known.set(keyOf(tool), verdict);
    }
    return known;
  }

  return {
    async ask(subject, tools, signal) {
      const startedAt = clock.monotonic();
      const known = knownOf(subject, tools);
      const missing = tools.filter((tool) => !known.has(keyOf(tool)));
      const found: Found =
        missing.length === 0
          ? ok(new Set())
          : await (verdicts === null ? ask(subject, missing, signal) : askOnce(subject, missing));
      const otherwise = entry.definition.hook.failure_mode === 'fail_open';
      const allows = (tool: Tool) =>
        known.get(keyOf(tool)) ?? (found.ok ? found.value.has(keyOf(tool)) : otherwise);
      const more: Partial<HookTrace> = found.ok ? {} : { error: found.error };
      const code = !found.ok ? 'failed' : tools.every(allows) ? 'OK' : 'CHECK_FAILED';
      const timing = missing.length === 0 ? { cached: true } : { duration_ms: durationOf(clock, startedAt) };
      return { allows, trace: traceOf(entry, code, { ...timing, ...more }) };
    },
  };
}

export interface AskedEndpoint {
  readonly url: string;
  readonly timeoutMs: number;
  /** `null`: every answer is for one question. */
  readonly cacheTtlMs: number | null;
}

/** The same tool in another version is another question. */
function keyOf(tool: Tool): string {
  return `${tool.id}@${versionOf(tool)}`;
}
