import type { ToolRequirementsResponse } from '@sallyport/contracts';
import type { Authorization, ForWhom, Requirement } from '#credentials';
import type { Refusal, Tool } from '#domain';
import type { Result } from '#foundation';
import type { RestDeps } from '../route.ts';
import { requirementOf, secretNeeds } from './needs.ts';

type Authorizations = ToolRequirementsResponse['authorization'];
type Need = Authorizations['items'][string];

export interface Asking {
  readonly projectId: string;
  /** `null`: only whether everything is set up. */
  readonly whom: ForWhom | null;
  /** Begins every consent that is missing. */
  readonly begins: boolean;
  /** Whether the caller may send the user anywhere. */
  readonly showsUrls: boolean;
}

/** What these tools need together: one entry a provider, with all scopes, one a secret, each with the tools that need it. */
export async function requirementsOf(
  deps: RestDeps,
  asking: Asking,
  tools: readonly Tool[],
): Promise<ToolRequirementsResponse> {
  const authorization = await authorizationsOf(deps, asking, tools);
  const secrets = secretsOf(deps, asking.projectId, tools);
  return { met: authorization.met && secrets.met, authorization, secrets };
}

/** The requirements of tools that name the same provider, as one. */
interface Together {
  readonly requirement: Requirement;
  readonly tools: readonly Tool[];
}

async function authorizationsOf(
  deps: RestDeps,
  asking: Asking,
  tools: readonly Tool[],
): Promise<Authorizations> {
  const together = new Map<string, Together>();
  for (const tool of tools) {
    const requirement = requirementOf(deps, tool);
    if (requirement === null) continue;
    const key = requirement.id ?? requirement.providerId ?? 'unknown';
    const known = together.get(key) ?? { requirement, tools: [] };
    const scopes = [...new Set([...known.requirement.scopes, ...requirement.scopes])];
    together.set(key, { requirement: { ...known.requirement, scopes }, tools: [...known.tools, tool] });
  }
  const items: Authorizations['items'] = {};
  for (const [key, one] of together) items[key] = await needOf(deps, asking, one);
  return { met: Object.values(items).every(({ met }) => met), items };
}

async function needOf(deps: RestDeps, asking: Asking, { requirement, tools }: Together): Promise<Need> {
  const { credentials } = deps;
  const provider = credentials.providers.resolve(asking.projectId, requirement);
  const known =
    provider.ok && asking.whom !== null ? await stateOf(deps, asking, { requirement, tools }) : null;
  const problem = !provider.ok ? provider.error : known?.ok === false ? known.error : null;
  const { status, id, url } = known?.ok === true ? known.value : nobodyAsked;
  const shown = {
    ...(id === '' ? {} : { authorization_id: id }),
    ...(url === null ? {} : { url }),
  };
  return {
    ...(requirement.providerId === null ? {} : { provider_id: requirement.providerId }),
    provider_type: provider.ok
      ? provider.value.type
      : (tools[0]?.requirements.authorization?.provider_type ?? 'oauth2'),
    scopes: [...requirement.scopes],
    status: problem === null ? 'active' : 'inactive',
    ...(problem === null ? {} : { status_reason: problem.message }),
    ...(asking.whom === null ? {} : { token_status: status }),
    met: problem === null && (asking.whom === null || status === 'completed'),
    ...(asking.showsUrls ? shown : {}),
    tool_names: tools.map(({ qualifiedName }) => qualifiedName),
  };
}

const nobodyAsked = { status: 'not_started', id: '', url: null } as const;

async function stateOf(
  { credentials }: RestDeps,
  { whom, begins }: Asking,
  { requirement, tools: [first, ...others] }: Together,
): Promise<Result<Authorization, Refusal>> {
  // Of several tools each may have an account of its own; it is the default one that is asked about.
  const toolId = others.length === 0 ? (first?.id ?? null) : null;
  const asked = { requirement, toolId, nextUri: null, ...(begins ? {} : { peek: true as const }) };
  return await credentials.authorizations.authorize(whom as ForWhom, asked);
}

function secretsOf(
  deps: RestDeps,
  projectId: string,
  tools: readonly Tool[],
): ToolRequirementsResponse['secrets'] {
  const items: ToolRequirementsResponse['secrets']['items'] = {};
  for (const tool of tools) {
    for (const { key, ...state } of secretNeeds(deps, projectId, tool)) {
      items[key] = { ...state, tool_names: [...(items[key]?.tool_names ?? []), tool.qualifiedName] };
    }
  }
  return { met: Object.values(items).every(({ met }) => met), items };
}
