import type { HookTrace } from '@sallyport/contracts';
import type { Clock } from '#foundation';
import type { Metrics } from '#telemetry';

type Ask = <Asked extends { readonly trace: HookTrace }>(ask: () => Promise<Asked>) => Promise<Asked>;

/** Asks, and keeps how long it took and what came of it; what was known from before took no time. */
export function timedAsk(metrics: Metrics, clock: Clock): Ask {
  const times = metrics.histogram({
    name: 'sallyport_hook_duration_seconds',
    help: 'What hooks, and what is built in at their points, took to answer.',
    labels: ['hook_point', 'outcome'],
  });
  return async (ask) => {
    const startedAt = clock.monotonic();
    const asked = await ask();
    const { hook_point, code, cached } = asked.trace;
    const outcome = cached === true ? 'cached' : (outcomes[code] ?? 'refused');
    times.of(hook_point, outcome).observe(clock.monotonic() - startedAt);
    return asked;
  };
}

const outcomes: Readonly<Record<string, string>> = {
  OK: 'passed',
  CHECK_FAILED: 'refused',
  RATE_LIMIT_EXCEEDED: 'rate_limited',
  failed: 'failed',
};
