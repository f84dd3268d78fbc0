import type { AuthorizationStatus, ToolResponse } from '@sallyport/contracts';
import {
  type AuthProvider,
  type ForWhom,
  requirementOf as ofCredentials,
  type Requirement,
} from '#credentials';
import type { Refusal, Tool } from '#domain';
import type { Result } from '#foundation';
import type { RestDeps } from '../route.ts';

type Requirements = ToolResponse['requirements'];

/** What a tool needs, and whether it is there. */
export type Needs = (tool: Tool) => Requirements;

/** Something that acts for its user at a provider. */
interface Wanted {
  readonly tool: Tool;
  readonly requirement: Requirement;
  readonly provider: Result<AuthProvider, Refusal>;
}

/** Of these tools, by one look at what the user has; without a user: whether they are set up. */
export async function needsOf(
  deps: RestDeps,
  projectId: string,
  whom: ForWhom | null,
  tools: readonly Tool[],
): Promise<Needs> {
  const wanted = tools.flatMap((tool): Wanted[] => {
    const requirement = requirementOf(deps, tool);
    if (requirement === null) return [];
    return [{ tool, requirement, provider: deps.credentials.providers.resolve(projectId, requirement) }];
  });
  const statuses = whom === null ? null : await statusesOf(deps, whom, wanted);
  const authorizations = new Map(
    wanted.map((one) => [
      one.tool,
      authorizationNeed(one, statuses === null ? null : statuses.get(one.tool)),
    ]),
  );
  return (tool) => {
    const authorization = authorizations.get(tool);
    const secrets = secretNeeds(deps, projectId, tool);
    const isAuthorized =
      authorization === undefined ||
      (authorization.status === 'active' && (whom === null || authorization.token_status === 'completed'));
    return {
      met: isAuthorized && secrets.every(({ met }) => met),
      ...(authorization === undefined ? {} : { authorization }),
      ...(secrets.length === 0 ? {} : { secrets }),
    };
  };
}

/** What a tool declares, or its MCP server is declared to be sent; `null`: no account at a provider. */
export function requirementOf({ sources }: Pick<RestDeps, 'sources'>, tool: Tool): Requirement | null {
  return ofCredentials(tool, sources.get(tool.projectId, tool.sourceId));
}

type Statuses = ReadonlyMap<Tool, Result<AuthorizationStatus, Refusal> | undefined>;

async function statusesOf(
  { credentials }: RestDeps,
  whom: ForWhom,
  wanted: readonly Wanted[],
): Promise<Statuses> {
  const asked = wanted.filter(({ provider }) => provider.ok);
  if (asked.length === 0) return new Map();
  const said = await credentials.authorizations.statuses(
    whom,
    asked.map(({ tool, requirement }) => ({ ...requirement, toolId: tool.id })),
  );
  return new Map(asked.map(({ tool }, index) => [tool, said[index]]));
}

/** `status`: `null` where nobody is asked about; left out where the provider is not set up. */
function authorizationNeed(
  { tool, requirement: { id, providerId, scopes }, provider }: Wanted,
  status: Result<AuthorizationStatus, Refusal> | null | undefined,
): NonNullable<Requirements['authorization']> {
  const problem = !provider.ok ? provider.error : status?.ok === false ? status.error : null;
  const tokenStatus = status?.ok === true ? status.value : 'not_started';
  return {
    ...(id === null ? {} : { id }),
    ...(providerId === null ? {} : { provider_id: providerId }),
    provider_type: provider.ok
      ? provider.value.type
      : (tool.requirements.authorization?.provider_type ?? 'oauth2'),
    oauth2: { scopes: [...scopes] },
    status: problem === null ? 'active' : 'inactive',
    ...(problem === null ? {} : { status_reason: problem.message }),
    ...(status === null ? {} : { token_status: tokenStatus }),
  };
}

export function secretNeeds(
  { credentials }: Pick<RestDeps, 'credentials'>,
  projectId: string,
  { requirements: { secrets } }: Tool,
): NonNullable<Requirements['secrets']> {
  return (secrets ?? []).map(({ key }) =>
    credentials.secrets.has(projectId, key)
      ? { key, met: true }
      : { key, met: false, status_reason: 'this secret is not set up here' },
  );
}
