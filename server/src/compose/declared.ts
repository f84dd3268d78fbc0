import { isDeepStrictEqual } from 'node:util';
import type { DeclaredUserSourceRequest } from '@sallyport/contracts';
import type { Catalog } from '#catalog';
import { type ConfigFile, type Declared, type FurtherChecks, formatMistake } from '#config';
import { type Credentials, checkAuthProvider } from '#credentials';
import { type Gateway, newGatewayFromRequest, newSourceFromRequest, type Source } from '#domain';
import {
  checkUserAssertion,
  checkUserSource,
  type Identity,
  newUserSourceFromRequest,
  type UserSource,
} from '#identity';
import { checkRule, type Policy } from '#policy';
import type { Sources } from '#sources';
import type { OpenHub } from './open-hub.ts';

/** The project that the config file declares for. */
export const projectId = 'default';

/** What a file declares has no date of its own. */
const undated = { createdAt: '1970-01-01T00:00:00.000Z', updatedAt: '1970-01-01T00:00:00.000Z' };
const fromFile = { origin: 'file', ...undated } as const;

/** What the file's requests are held to beside their schemas. */
export const furtherChecks: FurtherChecks = {
  rule: checkRule,
  gateway: (request) => checkUserAssertion(newGatewayFromRequest(request, { projectId }).userAssertion),
  userSource: (request) => checkUserSource(declaredUserSource(request)),
  authProvider: checkAuthProvider,
};

function declaredUserSource(request: DeclaredUserSourceRequest): UserSource {
  const { id, name = id, ...rest } = request;
  return { ...newUserSourceFromRequest({ ...rest, name }, { id, projectId }), ...fromFile };
}

/** Makes the file's resources exactly these, and the bundled demo worker, where there is one, another of them. */
export async function applyDeclared(
  file: ConfigFile,
  demo: Source | null,
  {
    sources,
    catalog,
    policy,
    identity,
    credentials,
    hub,
  }: {
    sources: Sources;
    catalog: Catalog;
    policy: Policy;
    identity: Pick<Identity, 'userSources'>;
    credentials: Pick<Credentials, 'providers' | 'secrets'>;
    hub: Pick<OpenHub, 'use'> | null;
  },
): Promise<void> {
  hub?.use(file.hub);
  const workers = file.workers.map(
    ({ request }): Source => ({ ...newSourceFromRequest(request, { projectId }), ...fromFile }),
  );
  const gateways = file.gateways.map(
    ({ id, request }): Gateway => ({ ...newGatewayFromRequest(request, { projectId }), ...fromFile, id }),
  );
  identity.userSources.applyFile(
    projectId,
    file.userSources.map(({ request }) => declaredUserSource(request)),
  );
  credentials.providers.applyFile(projectId, file.authProviders.map(requestOf));
  credentials.secrets.applyFile(projectId, file.secrets.map(requestOf));
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
  {
    catalog,
    policy,
    identity,
  }: { catalog: Catalog; policy: Policy; identity: Pick<Identity, 'userSources'> },
): string[] {
  const slugs = new Set(catalog.gateways(projectId).map(({ slug }) => slug));
  const nowhere = [...file.grants, ...file.rules, ...file.limits].flatMap(({ request: { gateway }, at }) =>
    gateway == null || slugs.has(gateway) ? [] : [{ at, what: `gateway with the slug "${gateway}"` }],
  );
  const never = file.hooks.flatMap(({ request: { plugin_id: id }, at }) =>
    policy.plugins.get(projectId, id) === null ? [{ at, what: `plugin "${id}"` }] : [],
  );
  const nobody = file.gateways.flatMap(({ request, at }) =>
    newGatewayFromRequest(request, { projectId })
      .userSourceIds.filter((id) => identity.userSources.get(projectId, id) === null)
      .map((id) =>
        formatMistake({ ...at, message: `nobody signs in by user source "${id}": there is none` }),
      ),
  );
  const acting = [...nowhere, ...never].map(({ at, what }) =>
    formatMistake({ ...at, message: `acts nowhere: there is no ${what}` }),
  );
  return [...acting, ...nobody];
}

/** The file with what is read at start only as it was then, and which fields of that say something else by now. */
export function actingSince(
  started: ConfigFile,
  now: ConfigFile,
): { readonly acting: ConfigFile; readonly later: readonly string[] } {
  const { egressAllow, rootKeys, auditDurability } = started;
  const fields = [
    ['egress.allow', egressAllow, now.egressAllow],
    ['security.root_keys', rootKeys, now.rootKeys],
    ['audit.durability', auditDurability, now.auditDurability],
  ] as const;
  const later = fields
    .filter(([, before, after]) => !isDeepStrictEqual(before, after))
    .map(([field]) => `${field}: acts as it was at the start until the server is restarted`);
  return { acting: { ...now, egressAllow, rootKeys, auditDurability }, later };
}

function requestOf<Request>({ request }: Declared<Request>): Request {
  return request;
}
