import type { Catalog } from '#catalog';
import { type ConfigFile, type Declared, type FurtherChecks, formatMistake } from '#config';
import { type Gateway, newGatewayFromRequest, newSourceFromRequest, type Source } from '#domain';
import { checkUserAssertion } from '#identity';
import { checkRule, type Policy } from '#policy';
import type { Sources } from '#sources';

/** The project that the config file declares for. */
export const projectId = 'default';

/** What a file declares has no date of its own. */
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };
const fromFile = { origin: 'file', ...undated } as const;

/** What the file's requests are held to beside their schemas. */
export const furtherChecks: FurtherChecks = {
  rule: checkRule,
  gateway: (request) => checkUserAssertion(newGatewayFromRequest(request, { projectId }).userAssertion),
};

/** Makes the file's resources exactly these, and the bundled demo worker, where there is one, another of them. */
export async function applyDeclared(
  file: ConfigFile,
  demo: Source | null,
  { sources, catalog, policy }: { sources: Sources; catalog: Catalog; policy: Policy },
): Promise<void> {
  const workers = file.workers.map(
    ({ request }): Source => ({ ...newSourceFromRequest(request, { projectId }), ...fromFile }),
  );
  const gateways = file.gateways.map(
    ({ id, request }): Gateway => ({ ...newGatewayFromRequest(request, { projectId }), ...fromFile, id }),
  );
  // Before anything is awaited: no request sees a gateway without what is laid down for it, or a tool before that.
  catalog.applyFile(gateways);
  policy.grants.applyFile(projectId, file.grants.map(requestOf));
  policy.rules.applyFile(projectId, file.rules.map(requestOf));
  policy.limits.applyFile(projectId, file.limits.map(requestOf));
  policy.plugins.applyFile(projectId, file.plugins.map(requestOf));
  policy.hooks.applyFile(projectId, file.hooks.map(requestOf));
  await sources.applyFile(demo === null ? workers : [...workers, demo]);
}

/** Entries of the file that name a gateway or a plugin which is not there (yet): of a denial that must be known. */
export function actNowhere(
  file: ConfigFile,
  { catalog, policy }: { catalog: Catalog; policy: Policy },
): string[] {
  const slugs = new Set(catalog.gateways(projectId).map(({ slug }) => slug));
  const nowhere = [...file.grants, ...file.rules, ...file.limits].flatMap(({ request: { gateway }, at }) =>
    gateway == null || slugs.has(gateway) ? [] : [{ at, what: `gateway with the slug "${gateway}"` }],
  );
  const never = file.hooks.flatMap(({ request: { plugin_id: id }, at }) =>
    policy.plugins.get(projectId, id) === null ? [{ at, what: `plugin "${id}"` }] : [],
  );
  return [...nowhere, ...never].map(({ at, what }) =>
    formatMistake({ ...at, message: `acts nowhere: there is no ${what}` }),
  );
}

function requestOf<Request>({ request }: Declared<Request>): Request {
  return request;
}
