import type { RateLimitConfig } from '@sallyport/contracts';
import { refusal, type Tool } from '#domain';
import type { Clock } from '#foundation';
import type { PluginEntry } from './contract.ts';
import { builtInTrace, type PreStep } from './steps.ts';
import { createToolMatch } from './tool-match.ts';

type Rule = RateLimitConfig['rules'][number];
type Unit = Rule['time_unit'];

interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

const maxCounters = 100_000;

/** The plugin type `rate_limit`: fixed windows in UTC, each tool by itself, all users together; counted in this process. */
export function rateLimit(plugin: PluginEntry, clock: Clock): PreStep {
  const rulesFor = createToolMatch(plugin.definition.plugin.rate_limit_config?.rules ?? []);
  const counters = new Map<string, { count: number } & Window>();

  function counterOf(rule: Rule, tool: Tool) {
    const key = `${tool.id} ${rule.limit}/${rule.time_unit}`;
    const nowMs = clock.now();
    const known = counters.get(key);
    if (known !== undefined && nowMs < known.endMs && nowMs >= known.startMs) return known;
    const fresh = { count: 0, ...windowOf(rule.time_unit, nowMs) };
    counters.set(key, fresh);
    if (counters.size > maxCounters)
      for (const [other, { endMs }] of counters) if (endMs <= nowMs) counters.delete(other);
    return fresh;
  }

  return {
    async ask({ tool, dryRun = false }) {
      const counted = rulesFor(tool).map((rule) => ({ rule, counter: counterOf(rule, tool) }));
      const full = counted
        .filter(({ rule, counter }) => counter.count >= rule.limit)
        .sort((one, other) => other.counter.endMs - one.counter.endMs)[0];
      if (full === undefined) {
        if (!dryRun) for (const { counter } of counted) counter.count++;
        return { trace: builtInTrace(plugin, 'tool.pre', 'OK'), refused: null, override: null };
      }
      const { rule, counter } = full;
      const retryAfterMs = counter.endMs - clock.now();
      const message = `Rate limit exceeded for ${tool.ruleName} (${rule.limit}/${rule.time_unit}). Try again in ~${Math.ceil(retryAfterMs / 1000)}s.`;
      const reason = `plugin ${plugin.id} ${plugin.definition.plugin.name}: ${rule.match} is limited to ${rule.limit}/${rule.time_unit}`;
      return {
        trace: builtInTrace(plugin, 'tool.pre', 'RATE_LIMIT_EXCEEDED'),
        refused: refusal('policy.rate_limited', message, { reason, retryAfterMs }),
        override: null,
      };
    },
  };
}

const unitMs: Readonly<Record<Exclude<Unit, 'mo'>, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function windowOf(unit: Unit, nowMs: number): Window {
  if (unit === 'mo') {
    const now = new Date(nowMs);
    const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
    return { startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) };
  }
  const startMs = Math.floor(nowMs / unitMs[unit]) * unitMs[unit];
  return { startMs, endMs: startMs + unitMs[unit] };
}
