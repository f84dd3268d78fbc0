import { type ToolRequirementsRequest, toolRequirementsRequest } from '@sallyport/contracts';
import { type Caller, type Refusal, refusal, type Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { whomOf } from '../auth/whom.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';
import { requirementsOf } from './requirements.ts';
import { visibleTool } from './visible-tool.ts';

type Asked = RestRequest<ToolRequirementsRequest, undefined>;

export function requirementsRoute(deps: RestDeps): Route {
  return route<ToolRequirementsRequest>({
    operation: 'tools.requirements',
    summary:
      'What tools need before they can run, and whether it is there; begins the consents that are missing',
    method: 'POST',
    path: '/tools/requirements',
    needs: 'read',
    forRestrictedKeys: true,
    body: toolRequirementsRequest,
    success: 200,
    async run(request) {
      const { actAs, body, projectId, principal } = request;
      const acting = actAs(body.user_id ?? undefined);
      if (!acting.ok) return acting;
      const caller = acting.value;
      const whom = whomOf(caller);
      const begins = body.authorize === true;
      const mayCall = principal.permissions.has('call');
      if (begins && !mayCall) return err(mayNotBegin);
      if (begins && !whom.ok) return whom;
      const tools = await namedTools(deps, caller, body);
      if (!tools.ok) return tools;
      const asking = { projectId, whom: whom.ok ? whom.value : null, begins, showsUrls: mayCall };
      const answer = await requirementsOf(deps, asking, tools.value);
      if (begins) await recordBegun(deps, request, Object.values(answer.authorization.items));
      return ok({ status: 200, body: answer });
    },
  });
}

const mayNotBegin = refusal(
  'identity.scope_missing',
  'authorize: begins consents, which needs an API key with the scope "call"',
  { field: 'authorize' },
);

async function namedTools(
  deps: RestDeps,
  caller: Caller,
  { tools, tool_names }: ToolRequirementsRequest,
): Promise<Result<readonly Tool[], Refusal>> {
  const named = (tool_names ?? []).map((tool_name) => ({ tool_name, tool_version: null }));
  const found: Tool[] = [];
  for (const { tool_name, tool_version } of [...(tools ?? []), ...named]) {
    const one = await visibleTool(deps, caller, tool_name, tool_version ?? undefined);
    if (!one.ok) return one;
    found.push(one.value.tool);
  }
  return ok(found);
}

/** What was begun leaves a record; only looking leaves none. */
async function recordBegun(
  { audit }: RestDeps,
  { principal, projectId, body }: Asked,
  items: readonly { readonly authorization_id?: string; readonly token_status?: string }[],
): Promise<void> {
  const begun = items.flatMap(({ token_status, authorization_id }) =>
    token_status === 'pending' && authorization_id !== undefined ? [authorization_id] : [],
  );
  if (begun.length === 0) return;
  await audit.record({
    kind: 'credential',
    decision: 'allowed',
    projectId,
    principal: principal.id,
    clientId: principal.clientId ?? null,
    userId: body.user_id ?? principal.actsAs ?? null,
    tool: 'tools.requirements',
    changes: { authorizations: begun },
  });
}
