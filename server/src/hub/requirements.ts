import type { ToolDetails } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { type Credentials, type ForWhom, requirementOf } from '#credentials';
import type { Caller, Tool } from '#domain';
import type { Policy } from '#policy';
import type { Sources } from '#sources';
import type { HubAsking } from './contract.ts';

export interface RequirementsDeps {
  readonly credentials: Pick<Credentials, 'authorizations' | 'attach'>;
  readonly sources: Pick<Sources, 'get'>;
  readonly policy: Pick<Policy, 'foreseen'>;
}

function userOf({ principal, userId }: Caller): ForWhom | null {
  if (userId === null) return null;
  const { projectId, kind, id } = principal;
  return { projectId, userId, personId: kind === 'person' ? id : null };
}

/** Those of these tools for which the user has to consent first: by one look at what they have. */
export async function consentsMissing(
  { credentials, sources }: RequirementsDeps,
  caller: Caller,
  tools: readonly ShownTool[],
): Promise<ReadonlySet<Tool>> {
  const user = userOf(caller);
  const wanted = tools.flatMap(({ tool }) => {
    const requirement = requirementOf(tool, sources.get(tool.projectId, tool.sourceId));
    return requirement === null ? [] : [{ tool, requirement }];
  });
  if (user === null || wanted.length === 0) return new Set();
  const asked = wanted.map(({ tool, requirement }) => ({ ...requirement, toolId: tool.id }));
  const statuses = await credentials.authorizations.statuses(user, asked);
  const isMissing = (at: number) => {
    const status = statuses[at];
    return status?.ok === true && status.value !== 'completed';
  };
  return new Set(wanted.flatMap(({ tool }, at) => (isMissing(at) ? [tool] : [])));
}

type Requirements = NonNullable<ToolDetails['requires']>;

/** What stands between the user and a call: by the same look at what they have as the call's own, with where they consent. */
export async function requirementsOf(
  deps: RequirementsDeps,
  asking: HubAsking,
  { tool }: ShownTool,
): Promise<Requirements> {
  const { caller, gateway } = asking;
  const { mayWaitForApproval } = deps.policy.foreseen({ caller, gateway, target: tool });
  return [...(await credentialMissing(deps, asking, tool)), ...(mayWaitForApproval ? [approval] : [])];
}

const approval = {
  kind: 'approval',
  message: 'by what it is called with, an approver may have to agree first',
} as const;

async function credentialMissing(
  { credentials }: RequirementsDeps,
  { caller, gateway }: HubAsking,
  tool: Tool,
): Promise<Requirements> {
  if (caller.userId === null) return [];
  const attached = await credentials.attach({ caller, tool, gateway: gateway?.slug ?? null, given: [] });
  if (attached.ok) return [];
  const { code, message, details } = attached.error;
  if (code !== 'credentials.consent_required') {
    return code === 'credentials.not_configured' ? [{ kind: 'secret', message }] : [];
  }
  const url = details?.authorization_url;
  return [{ kind: 'consent', message, ...(typeof url === 'string' ? { url } : {}) }];
}
