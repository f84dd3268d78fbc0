import type { StatusInstallation, StatusResponse, StatusSources, StatusTraffic } from '@sallyport/contracts';
import { ok } from '#foundation';
import { firstOrganizationId, type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import type { InstallationFacts, Traffic } from './contract.ts';
import {
  hookProblems,
  installationProblems,
  outages,
  refusalProblems,
  sourceProblems,
  weighed,
} from './problems.ts';

const firstProjectId = 'default';

/** One page that says what is wrong now. Everybody is told of their own project; of the installation, who administers it. */
export function statusRoutes(deps: RestDeps): readonly Route[] {
  return [
    route({
      operation: 'status.get',
      summary: 'What is wrong now, the heaviest first, and the facts that say so',
      method: 'GET',
      path: '/status',
      needs: 'read',
      success: 200,
      async run(request) {
        return ok({ status: 200, body: await statusOf(request, deps) });
      },
    }),
  ];
}

async function statusOf(request: RestRequest<unknown, unknown>, deps: RestDeps): Promise<StatusResponse> {
  const { projectId } = request;
  const { permissions } = request.principal;
  const facts = await deps.status.installation();
  const traffic = await deps.status.traffic(projectId);
  const sources = sourcesOf(projectId, deps);
  const hooks = permissions.has('inspect') ? hooksOf(projectId, deps) : null;
  const administers = administersAll(request);
  return {
    ...weighed([
      ...outages(facts, administers),
      ...sourceProblems(sources),
      ...hookProblems(hooks?.failing ?? []),
      ...refusalProblems(traffic),
      ...(administers ? installationProblems(facts) : []),
    ]),
    version: deps.version,
    checked_at: deps.clock.iso(),
    project_id: projectId,
    sources,
    traffic: trafficOf(traffic),
    ...(hooks === null ? {} : { hooks }),
    ...(permissions.has('approve') ? { approvals: await approvalsOf(projectId, deps) } : {}),
    ...(administers ? { installation: installationOf(facts, deps) } : {}),
  };
}

/** Owners of the first organisation run the installation; whoever administers the first project has its config file. */
function administersAll({ principal, organizationId, projectId }: RestRequest<unknown, unknown>): boolean {
  if (organizationId !== firstOrganizationId) return false;
  const { permissions } = principal;
  return permissions.has('own') || (permissions.has('administer') && projectId === firstProjectId);
}

function sourcesOf(projectId: string, { sources }: RestDeps): StatusSources {
  const all = sources.list(projectId).map(({ id }) => ({ id, ...sources.status(projectId, id) }));
  const count = (state: string) => all.filter((one) => one.state === state).length;
  return {
    count: all.length,
    healthy_count: count('healthy'),
    disabled_count: count('disabled'),
    unknown_count: count('unknown'),
    unhealthy: all
      .filter(({ state }) => state === 'unhealthy')
      .map(({ id, failedStep, message, since, checkedAt }) => ({
        id,
        failed_step: failedStep,
        message,
        since,
        checked_at: checkedAt,
      })),
  };
}

function hooksOf(projectId: string, { policy: { plugins } }: RestDeps): NonNullable<StatusResponse['hooks']> {
  const servers = plugins
    .list(projectId)
    .filter(({ definition: { plugin } }) => plugin.plugin_type === 'webhook' && plugin.status !== 'inactive');
  const failing = servers
    .map(({ id, definition: { plugin } }) => ({
      plugin_id: id,
      name: plugin.name,
      health: plugins.health(id),
    }))
    .filter(({ health }) => health === 'unhealthy' || health === 'degraded');
  return { count: servers.length, failing };
}

/** `null` where the database does not answer, which is told by itself. */
async function approvalsOf(
  projectId: string,
  { policy }: RestDeps,
): Promise<{ pending_count: number | null }> {
  return policy.approvals.list(projectId, { status: 'pending', limit: 1, offset: 0 }).then(
    ({ total }) => ({ pending_count: total }),
    () => ({ pending_count: null }),
  );
}

function trafficOf({ windowMs, allowed, refused, failed, byCode }: Traffic): StatusTraffic {
  const refusals = [...byCode]
    .map(([code, count]) => ({ code, count }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count || (one.code < other.code ? -1 : 1));
  return { window_seconds: Math.round(windowMs / 1000), allowed, refused, failed, refusals };
}

function installationOf(facts: InstallationFacts, { clock }: RestDeps): StatusInstallation {
  const {
    startedAtMs,
    stopping,
    processes,
    database,
    audit,
    vault,
    redis,
    configMistakes,
    exporters,
    sources,
  } = facts;
  return {
    started_at: new Date(startedAtMs).toISOString(),
    uptime_seconds: Math.floor((clock.now() - startedAtMs) / 1000),
    stopping,
    processes,
    database: { ...database, ok: database.error === null },
    audit: {
      durability: audit.durability,
      writable: audit.writable,
      behind_bytes: audit.behindBytes,
      survives: audit.survives,
      error: audit.error,
    },
    vault: {
      root_key: vault.rootKeyId,
      beside_data: vault.besideData,
      retired_keys: vault.retired,
      seals: vault.seals,
    },
    redis: redis === null ? null : { ok: redis.isWell },
    config: { mistakes: [...configMistakes] },
    telemetry: {
      exporters: exporters.map(({ signal, ok, endpoint, error, failingSince }) => ({
        signal,
        ok,
        endpoint,
        error,
        failing_since: failingSince,
      })),
    },
    sources: { count: sources.count, unhealthy_count: sources.unhealthyCount },
  };
}
