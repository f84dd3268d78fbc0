import { type SimulateRequest, simulateRequest } from '@sallyport/contracts';
import type { AuditCall } from '#audit';
import { type Refusal, refusal, type Tool } from '#domain';
import { err, ok } from '#foundation';
import type { RecordedCall } from '#policy';
import { type RestDeps, type Route, route } from '../route.ts';

const usualLimit = 1000;

export function simulateRoute({ audit, catalog, policy }: RestDeps): Route {
  return route<SimulateRequest>({
    operation: 'policy.simulate',
    summary: 'Which recorded calls would be decided otherwise under a changed policy; nothing is changed',
    method: 'POST',
    path: '/policy/simulate',
    needs: 'audit',
    body: simulateRequest,
    success: 200,
    async run({ projectId, body }) {
      const { since, until, gateway, limit = usualLimit } = body;
      const gateways = new Map(catalog.gateways(projectId).map((one) => [one.slug, one] as const));
      const wrong = problemOf(policy, projectId, gateways, body);
      if (wrong !== null) return err(wrong);
      const calls = await audit.calls({
        projectId,
        limit,
        ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
        ...(gateway === undefined ? {} : { gateway }),
      });
      const tools = new Map(
        catalog.tools(projectId, { allVersions: true }).map((tool) => [tool.id, tool] as const),
      );
      const recorded = calls.map(
        (call): RecordedCall => ({
          ...recordedCall(call, tools),
          gateway: gateways.get(call.gateway ?? '') ?? null,
        }),
      );
      return ok({ status: 200, body: await policy.simulate(projectId, body, recorded) });
    },
  });
}

function recordedCall(call: AuditCall, tools: ReadonlyMap<string, Tool>): Omit<RecordedCall, 'gateway'> {
  const { groups = [], claims = {} } = call.policy ?? {};
  return {
    eventId: call.id,
    time: call.time,
    decision: call.decision,
    code: call.code,
    subject: {
      userId: call.user_id,
      groups,
      claims,
      ...(call.client_id === null ? {} : { clientId: call.client_id }),
    },
    gatewaySlug: call.gateway,
    target: tools.get(call.tool_id ?? '') ?? null,
    toolName: call.tool ?? '',
    policy: call.policy,
  };
}

/** What cannot be simulated: a rule that could not be written, and what is not there to be changed or removed. */
function problemOf(
  policy: RestDeps['policy'],
  projectId: string,
  gateways: ReadonlyMap<string, unknown>,
  { add_rules = [], remove_rules = [], remove_grants = [], access = {} }: SimulateRequest,
): Refusal | null {
  for (const [index, rule] of add_rules.entries()) {
    const wrong = policy.checkRule(rule);
    if (wrong !== null) return { ...wrong, field: `add_rules.${index}.${wrong.field}` };
  }
  for (const slug of Object.keys(access)) {
    if (gateways.has(slug)) continue;
    const field = `access.${slug}`;
    return refusal('request.params_invalid', `${field}: there is no gateway with the slug "${slug}"`, {
      field,
    });
  }
  for (const [field, ids, entries] of [
    ['remove_grants', remove_grants, policy.grants],
    ['remove_rules', remove_rules, policy.rules],
  ] as const) {
    const unknown = ids.find((id) => entries.get(projectId, id) === null);
    if (unknown === undefined) continue;
    return refusal('request.params_invalid', `${field}: there is no ${unknown}`, { field });
  }
  return null;
}
