import { lookup as lookupInDns } from 'node:dns/promises';
import { ok, systemClock } from '#foundation';
import { createAdmission } from './admission.ts';
import { parseAllowList } from './allow-list.ts';
import { certificatesOf } from './certificates.ts';
import type { Egress, EgressOptions } from './contract.ts';
import { parseDestination } from './destination.ts';
import { Pool } from './pool.ts';
import { createGet } from './redirects.ts';

const MAX_IDLE_MS = 30_000;

/** Throws a Fault that names the entry when the allow-list is malformed. */
export function createEgress(options: EgressOptions): Egress {
  const clock = options.clock ?? systemClock;
  const admit = createAdmission(parseAllowList(options.allow), options.lookup ?? resolveHost);
  const pools = new Set<Pool>();

  const upstream: Egress['upstream'] = (uri, trust, { tls = null } = {}) => {
    const parsed = parseDestination(uri);
    if (!parsed.ok) return parsed;
    const certificates = tls === null ? ok(null) : certificatesOf(tls);
    if (!certificates.ok) return certificates;
    const pool = new Pool({
      destination: parsed.value,
      trust,
      admit,
      certificates: certificates.value,
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
  };

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
