import {
  type AuthorizationResponse,
  type AuthorizeToolRequest,
  authorizeToolRequest,
} from '@sallyport/contracts';
import type { Refusal, Tool } from '#domain';
import { err, ok, type Result } from '#foundation';
import { authorize } from '../auth/authorize.ts';
import { nothingAsked } from '../auth/response.ts';
import { begun } from '../auth/routes.ts';
import { whomOf } from '../auth/whom.ts';
import { type RestDeps, type Route, route } from '../route.ts';
import { requirementOf } from './needs.ts';
import { visibleTool } from './visible-tool.ts';

export function authorizeToolRoute(deps: RestDeps): Route {
  return route<AuthorizeToolRequest>({
    operation: 'tools.authorize',
    summary: 'Authorize a user for a tool: completed, or the address at which the user allows it',
    method: 'POST',
    path: '/tools/authorize',
    needs: 'call',
    forRestrictedKeys: true,
    mutates: true,
    records: 'credential',
    body: authorizeToolRequest,
    success: 200,
    async run({ actAs, body: { tool_name, tool_version, user_id, next_uri } }) {
      const acting = actAs(user_id ?? undefined);
      if (!acting.ok) return acting;
      const caller = acting.value;
      const whom = whomOf(caller);
      if (!whom.ok) return whom;
      const found = await visibleTool(deps, caller, tool_name, tool_version ?? undefined);
      if (!found.ok) return err(ofToolName(found.error));
      const needed = neededBy(deps, found.value.tool);
      const answer: Result<AuthorizationResponse, Refusal> =
        needed === null
          ? ok(nothingNeeded(whom.value.userId))
          : await authorize(deps, caller, {
              requirement: needed,
              toolId: found.value.tool.id,
              nextUri: next_uri ?? null,
            });
      return answer.ok ? ok({ status: 200, body: answer.value, changed: begun(answer.value) }) : answer;
    },
  });
}

/** What the user has to authorize: what the tool declares, or what the MCP server of the tool asks for itself. */
function neededBy(deps: RestDeps, tool: Tool) {
  const declared = requirementOf(deps, tool);
  if (declared !== null) return declared;
  return deps.sources.get(tool.projectId, tool.sourceId)?.kind === 'mcp' ? { sourceId: tool.sourceId } : null;
}

function nothingNeeded(userId: string): AuthorizationResponse {
  return { id: nothingAsked, status: 'completed', scopes: [], provider_id: '', user_id: userId };
}

const ofToolName = (refused: Refusal): Refusal =>
  refused.field === 'name' ? { ...refused, field: 'tool_name' } : refused;
