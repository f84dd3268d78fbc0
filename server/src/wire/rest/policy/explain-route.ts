import { type ExplainRequest, explainRequest } from '@sallyport/contracts';
import type { ShownTool } from '#catalog';
import { type Gateway, type Refusal, refusal } from '#domain';
import { err, ok, type Result } from '#foundation';
import { type RestDeps, type Route, route } from '../route.ts';

export function explainRoute(deps: RestDeps): Route {
  return route<ExplainRequest>({
    operation: 'policy.explain',
    summary: 'Why a call would be allowed or refused: the whole chain; nothing runs',
    method: 'POST',
    path: '/policy/explain',
    needs: 'inspect',
    body: explainRequest,
    success: 200,
    async run({ projectId, body, principal }) {
      // Nothing runs, so it may be about anybody, by whichever client.
      const { clientId: _own, ...asker } = principal;
      const caller = deps.pipeline.actAs({ ...asker, users: null }, body.user_id);
      if (!caller.ok) return err({ ...caller.error, field: 'user_id' });
      const found = find(deps, projectId, body);
      if (!found.ok) return found;
      const { gateway, shown, hidden } = found.value;
      const given = body.arguments;
      const args = given === undefined ? null : shown.arguments(given);
      const explained = await deps.policy.explain({
        caller: {
          ...caller.value,
          // Those of the directory count whatever else is said.
          groups: [...new Set([...caller.value.groups, ...(body.groups ?? [])])],
          claims: body.claims ?? {},
          ...(body.client_id === undefined ? {} : { clientId: body.client_id }),
        },
        gateway,
        tool: shown.tool,
        hidden,
        arguments:
          given === undefined || args === null
            ? null
            : {
                args: args.ok ? args.value : given,
                check: args.ok ? (what) => shown.takes(what) : () => args,
              },
        output: body.output,
      });
      return ok({ status: 200, body: explained });
    },
  });
}

interface Found {
  readonly gateway: Gateway | null;
  readonly shown: ShownTool;
  readonly hidden: Refusal | null;
}

/** The tool that is meant, also where the gateway does not show it: that is an explanation, too. */
function find(
  { catalog }: RestDeps,
  projectId: string,
  { gateway: slug, tool: name }: ExplainRequest,
): Result<Found, Refusal> {
  const view = slug == null ? null : catalog.view(slug);
  if (slug != null && (view === null || view.gateway.projectId !== projectId)) {
    return err(refusal('gateway.unknown', `gateway: there is no gateway ${slug}`, { field: 'gateway' }));
  }
  const gateway = view?.gateway ?? null;
  const shown = view?.find(name) ?? null;
  if (shown !== null) return ok({ gateway, shown, hidden: quarantine(shown) });
  const tool = catalog.findTool(projectId, name);
  if (tool === null) {
    const message = `tool: there is no tool named ${JSON.stringify(name.slice(0, 200))}`;
    return err(refusal('catalog.tool_unknown', message, { field: 'tool' }));
  }
  const elsewhere = catalog.shown(tool);
  if (gateway === null) return ok({ gateway, shown: elsewhere, hidden: quarantine(elsewhere) });
  const reason = `the gateway ${gateway.slug} does not show ${tool.ruleName}: see its tool_filter`;
  return ok({ gateway, shown: elsewhere, hidden: refusal('catalog.tool_unknown', reason) });
}

function quarantine({ tool: { quarantined, ruleName } }: ShownTool): Refusal | null {
  if (!quarantined) return null;
  return refusal('catalog.tool_quarantined', `${ruleName} is held back until somebody approves its change`);
}
