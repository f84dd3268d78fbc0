import type { Telemetry } from '#telemetry';
import type { Sessions, Streams } from '#wire';
import { projectIds } from './project-ids.ts';
import type { Rooms } from './rooms.ts';

/** What rooms of every process say of themselves, looked up whenever the metrics are read. */
export function gatherState({ telemetry, audit, vault, redis }: Rooms): void {
  const { gauge, beforeRead } = telemetry.metrics;
  const behind = gauge({
    name: 'sallyport_audit_behind_bytes',
    help: 'Bytes of the audit journal that are not in the database yet.',
  });
  const writable = gauge({
    name: 'sallyport_audit_writable',
    help: '0 where the audit journal cannot be written, so that every call is withheld.',
    together: 'min',
  });
  const drains = gauge({
    name: 'sallyport_audit_drains',
    help: '0 while the audit journal cannot be moved into the database.',
    together: 'min',
  });
  const seals = gauge({
    name: 'sallyport_vault_seals',
    help: '0 while nothing can be sealed, as a newer vault key cannot be had.',
    together: 'min',
  });
  const retired = gauge({
    name: 'sallyport_vault_retired_keys',
    help: 'Vault keys that records are still moving away from.',
    together: 'max',
  });
  const redisUp = gauge({
    name: 'sallyport_redis_up',
    help: '0 while Redis does not answer, so that this replica counts for itself; no series where there is none.',
    together: 'min',
  });
  beforeRead(() => {
    const lag = audit.lag();
    behind.of().set(lag.bytes);
    writable.of().set(lag.writable ? 1 : 0);
    drains.of().set(lag.error === null ? 1 : 0);
    const { seals: canSeal, retired: movingFrom } = vault.status();
    seals.of().set(canSeal ? 1 : 0);
    retired.of().set(movingFrom);
    if (redis !== null) redisUp.of().set(redis.isWell() ? 1 : 0);
  });
}

/** What the sources are like, by the process that looks at them. */
export function gatherSources({ telemetry, sources, identity }: Rooms): void {
  const { gauge, beforeRead } = telemetry.metrics;
  const about = { labels: ['project', 'source', 'kind'], together: 'max' } as const;
  const up = gauge({
    name: 'sallyport_source_up',
    help: '1 while the last look at the source found it well, else 0; those that are disabled are not told of.',
    ...about,
  });
  const tools = gauge({
    name: 'sallyport_source_tools',
    help: 'Tools that the source offered when it was last found well.',
    ...about,
  });
  const checked = gauge({
    name: 'sallyport_source_checked_timestamp_seconds',
    help: 'When the source was last looked at.',
    ...about,
  });
  beforeRead(() => {
    for (const family of [up, tools, checked]) family.forget();
    for (const { projectId, id, kind, enabled } of projectIds(identity.people).flatMap(sources.list)) {
      if (!enabled) continue;
      const { state, toolCount, checkedAt } = sources.status(projectId, id);
      up.of(projectId, id, kind).set(state === 'healthy' ? 1 : 0);
      tools.of(projectId, id, kind).set(toolCount);
      if (checkedAt !== null) checked.of(projectId, id, kind).set(Date.parse(checkedAt) / 1000);
    }
  });
}

/** What clients hold open in this process. */
export function gatherOpen({ metrics }: Telemetry, streams: Streams): void {
  const openStreams = metrics.gauge({
    name: 'sallyport_mcp_streams',
    help: 'Open streams of clients who want to hear of changes.',
  });
  const waiting = metrics.gauge({
    name: 'sallyport_mcp_requests_in_flight',
    help: 'Requests at gateways that wait for the answer of a source.',
  });
  metrics.beforeRead(() => {
    waiting.of().set(streams.waiting());
    openStreams.of().set(streams.size());
  });
}

/** Which sessions are in use, by the process that knows of each, wherever its calls are served. */
export function gatherSessions({ metrics }: Telemetry, sessions: Sessions): void {
  const inUse = metrics.gauge({
    name: 'sallyport_mcp_sessions',
    help: 'Sessions of clients of 2025-11-25 and before that are in use.',
  });
  metrics.beforeRead(() => inUse.of().set(sessions.size()));
}
