import { lookup as lookupInDns } from 'node:dns/promises';
import type { Result } from '#foundation';
import { ok, systemClock } from '#foundation';
import { createAdmission } from './admission.ts';
import { parseAllowList } from './allow-list.ts';
import type { Egress, EgressFailure, EgressOptions, Trust, Upstream } from './contract.ts';
import { parseDestination } from './destination.ts';
import { Pool } from './pool.ts';
import { createGet } from './redirects.ts';

const MAX_IDLE_MS = 30_000;

/** Throws a Fault that names the entry when the allow-list is malformed. */
export function createEgress(options: EgressOptions): Egress {
  const clock = options.clock ?? systemClock;
  const admit = createAdmission(parseAllowList(options.allow), options.lookup ?? resolveHost);
  const pools = new Set<Pool>();

  function upstream(uri: string, trust: Trust): Result<Upstream, EgressFailure> {
    const parsed = parseDestination(uri);
    if (!parsed.ok) return parsed;
    const pool = new Pool({
      destination: parsed.value,
      trust,
      admit,
      clock,
      connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      maxIdlePerOrigin: options.maxIdlePerOrigin ?? 64,
      maxPerOrigin: options.maxPerOrigin ?? 256,
      maxLastingPerOrigin: options.maxLastingPerOrigin ?? 4096,
      maxIdleMs: MAX_IDLE_MS,
      onClose: (closed) => pools.delete(closed),
    });
    pools.add(pool);
    return ok(pool);
  }

  return {
    upstream,
    get: createGet(upstream, clock),
    close() {
      for (const pool of pools) pool.close();
    },
  };
}

async function resolveHost(host: string): Promise<readonly string[]> {
  const answers = await lookupInDns(host, { all: true });
  return answers.map(({ address }) => address);
}
