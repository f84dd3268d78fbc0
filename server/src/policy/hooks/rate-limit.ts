import type { RateLimitConfig } from '@sallyport/contracts';
import { refusal, type Tool } from '#domain';
import type { Clock } from '#foundation';
import type { Redis } from '#storage';
import type { PluginEntry } from './contract.ts';
import { builtInTrace, type PreStep } from './steps.ts';
import { createToolMatch } from './tool-match.ts';
import { createOwnCounts, createSharedCounts } from './window-counts.ts';

type Rule = RateLimitConfig['rules'][number];
type Unit = Rule['time_unit'];

/** The plugin type `rate_limit`: fixed windows in UTC, each tool by itself, all users together. */
export function rateLimit(
  plugin: PluginEntry,
  { clock, redis }: { readonly clock: Clock; readonly redis: Redis | null },
): PreStep {
  const rulesFor = createToolMatch(plugin.definition.plugin.rate_limit_config?.rules ?? []);
  const counts = redis === null ? createOwnCounts(clock) : createSharedCounts(redis, plugin.id);
  const about = `plugin ${plugin.id} ${plugin.definition.plugin.name}`;

  return {
    async ask({ tool, dryRun = false }) {
      const rules = rulesFor(tool);
      const nowMs = clock.now();
      const windows = rules.map((rule) => windowOf(rule, tool, nowMs));
      const taken = await counts.take(windows, dryRun);
      if (taken === null) {
        const error = 'Redis does not answer, so the count is not known';
        const passes = rules.every(({ allow_on_unavailable = false }) => allow_on_unavailable);
        const message = 'calls of this tool are limited, and their count is not known; try again later';
        const refused = passes
          ? null
          : refusal('policy.hook_failed', message, { reason: `${about}: ${error}` });
        return { trace: builtInTrace(plugin, 'tool.pre', 'failed', error), refused, override: null };
      }
      if (taken === 'taken')
        return { trace: builtInTrace(plugin, 'tool.pre', 'OK'), refused: null, override: null };
      const retryAfterMs = taken.endMs - nowMs;
      const message = `Rate limit exceeded for ${tool.ruleName} (${taken.limit}/${taken.unit}). Try again in ~${Math.ceil(retryAfterMs / 1000)}s.`;
      const reason = `${about}: ${taken.match} is limited to ${taken.limit}/${taken.unit}`;
      return {
        trace: builtInTrace(plugin, 'tool.pre', 'RATE_LIMIT_EXCEEDED'),
        refused: refusal('policy.rate_limited', message, { reason, retryAfterMs }),
        override: null,
      };
    },
  };
}

function windowOf({ limit, time_unit: unit, match }: Rule, tool: Tool, nowMs: number) {
  return { key: `${tool.id}:${limit}/${unit}`, limit, unit, match, ...boundsOf(unit, nowMs) };
}

const unitMs: Readonly<Record<Exclude<Unit, 'mo'>, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function boundsOf(unit: Unit, nowMs: number): { readonly startMs: number; readonly endMs: number } {
  if (unit === 'mo') {
    const now = new Date(nowMs);
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
  }
  const startMs = Math.floor(nowMs / unitMs[unit]) * unitMs[unit];
  return { startMs, endMs: startMs + unitMs[unit] };
}
