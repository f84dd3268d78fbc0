import type { AuthorizationStatus, ToolResponse } from '@sallyport/contracts';
import type { AuthProvider, ForWhom, Requirement } from '#credentials';
import type { Refusal, Tool } from '#domain';
import type { Result } from '#foundation';
import type { RestDeps } from '../route.ts';

type Requirements = ToolResponse['requirements'];

/** What a tool needs, and whether it is there. */
export type Needs = (tool: Tool) => Requirements;

/** Of these tools, by one look at what the user has; without a user: whether they are set up. */
export async function needsOf(
  deps: RestDeps,
  projectId: string,
  whom: ForWhom | null,
  tools: readonly Tool[],
): Promise<Needs> {
  const wanted = new Map<string, Requirement>();
  const providers = new Map<string, Result<AuthProvider, Refusal>>();
  for (const tool of tools) {
    const requirement = requirementOf(deps, tool);
    const key = JSON.stringify(requirement);
    if (requirement === null || wanted.has(key)) continue;
    wanted.set(key, requirement);
    providers.set(key, deps.credentials.providers.resolve(projectId, requirement));
  }
  const statuses = whom === null ? null : await statusesOf(deps, whom, wanted, providers);
  return (tool) => {
    const requirement = requirementOf(deps, tool);
    const key = JSON.stringify(requirement);
    const provider = providers.get(key);
    const authorization =
      requirement === null || provider === undefined
        ? null
        : authorizationNeed(tool, requirement, provider, statuses === null ? null : statuses.get(key));
    const secrets = secretNeeds(deps, projectId, tool);
    const isAuthorized =
      authorization === null ||
      (authorization.status === 'active' && (whom === null || authorization.token_status === 'completed'));
    return {
      met: isAuthorized && secrets.every(({ met }) => met),
      ...(authorization === null ? {} : { authorization }),
      ...(secrets.length === 0 ? {} : { secrets }),
    };
  };
}

/** What a tool declares, or its MCP server is declared to be sent; `null`: no account at a provider. */
export function requirementOf(
  { sources }: Pick<RestDeps, 'sources'>,
  { requirements: { authorization }, projectId, sourceId }: Tool,
): Requirement | null {
  if (authorization === null) {
    const ofSource = sources.get(projectId, sourceId)?.authProvider ?? null;
    return ofSource === null ? null : { id: ofSource.id, providerId: null, scopes: ofSource.scopes };
  }
  const { id, provider_id, oauth2 } = authorization;
  return { id: id || null, providerId: provider_id || null, scopes: oauth2?.scopes ?? [] };
}

type Statuses = ReadonlyMap<string, Result<AuthorizationStatus, Refusal>>;

async function statusesOf(
  { credentials }: RestDeps,
  whom: ForWhom,
  wanted: ReadonlyMap<string, Requirement>,
  providers: ReadonlyMap<string, Result<AuthProvider, Refusal>>,
): Promise<Statuses> {
  const asked = [...wanted].filter(([key]) => providers.get(key)?.ok === true);
  if (asked.length === 0) return new Map();
  const said = await credentials.authorizations.statuses(
    whom,
    asked.map(([, requirement]) => requirement),
  );
  return new Map(asked.map(([key], index) => [key, said[index] as Result<AuthorizationStatus, Refusal>]));
}

/** `status`: `null` where nobody is asked about; left out where the provider is not set up. */
function authorizationNeed(
  { requirements: { authorization: declared } }: Tool,
  { id, providerId, scopes }: Requirement,
  provider: Result<AuthProvider, Refusal>,
  status: Result<AuthorizationStatus, Refusal> | null | undefined,
): NonNullable<Requirements['authorization']> {
  const problem = !provider.ok ? provider.error : status?.ok === false ? status.error : null;
  const tokenStatus = status?.ok === true ? status.value : 'not_started';
  return {
    ...(id === null ? {} : { id }),
    ...(providerId === null ? {} : { provider_id: providerId }),
    provider_type: provider.ok ? provider.value.type : (declared?.provider_type ?? 'oauth2'),
    oauth2: { scopes: [...scopes] },
    status: problem === null ? 'active' : 'inactive',
    ...(problem === null ? {} : { status_reason: problem.message }),
    ...(status === null ? {} : { token_status: tokenStatus }),
  };
}

function secretNeeds(
  { credentials }: RestDeps,
  projectId: string,
  { requirements: { secrets } }: Tool,
): NonNullable<Requirements['secrets']> {
  return (secrets ?? []).map(({ key }) =>
    credentials.secrets.has(projectId, key)
      ? { key, met: true }
      : { key, met: false, status_reason: 'this secret is not set up here' },
  );
}
