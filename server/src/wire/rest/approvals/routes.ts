import {
  type ApprovalResponse,
  approvalQuery,
  approvalsQuery,
  type DecideApprovalRequest,
  decideApprovalRequest,
} from '@sallyport/contracts';
import type { z } from 'zod';
import { type Refusal, refusal, type Subject } from '#domain';
import { err, ok, type Result } from '#foundation';
import type { Approval } from '#policy';
import { limited, pageWith } from '../paging.ts';
import { type RestDeps, type RestRequest, type Route, route } from '../route.ts';

type ListQuery = z.infer<typeof approvalsQuery>;
type OneQuery = z.infer<typeof approvalQuery>;

/** Calls that wait for somebody's consent. */
export function approvalRoutes(deps: RestDeps): readonly Route[] {
  return [listRoute(deps), readRoute(deps), decideRoute(deps, 'approve'), decideRoute(deps, 'deny')];
}

function listRoute({ policy }: RestDeps): Route {
  return route<undefined, ListQuery>({
    operation: 'approvals.list',
    summary: 'Calls that wait for approval, or did; with user_id: those that this user may decide',
    method: 'GET',
    path: '/approvals',
    needs: 'approve',
    forRestrictedKeys: 'users',
    query: approvalsQuery,
    success: 200,
    async run(request) {
      const approver = approverOf(request);
      if (!approver.ok) return approver;
      const { status } = request.query;
      const page = limited(request.query);
      const { items, total } = await policy.approvals.list(request.projectId, {
        ...(status === undefined ? {} : { status }),
        ...(approver.value === null ? {} : { approver: approver.value }),
        ...page,
      });
      return ok({ status: 200, body: pageWith(items.map(shown), page, total) });
    },
  });
}

function readRoute({ policy }: RestDeps): Route {
  return route<undefined, OneQuery>({
    operation: 'approvals.read',
    summary: 'One call that waits for approval, or did, with its arguments',
    method: 'GET',
    path: '/approvals/{id}',
    needs: 'approve',
    forRestrictedKeys: 'users',
    query: approvalQuery,
    success: 200,
    async run(request) {
      const approver = approverOf(request);
      if (!approver.ok) return approver;
      const id = request.params.id as string;
      const approval = await policy.approvals.get(request.projectId, id, approver.value);
      if (approval !== null) return ok({ status: 200, body: shown(approval) });
      return err(refusal('resource.unknown', `there is no approval ${id}`, { field: 'id' }));
    },
  });
}

const verdicts = { approve: 'approved', deny: 'denied' } as const;

function decideRoute({ policy }: RestDeps, act: keyof typeof verdicts): Route {
  return route<DecideApprovalRequest>({
    operation: `approvals.${act}`,
    summary:
      act === 'approve'
        ? 'Agree to a call, as one of its approvers: it then runs once, when it is made again'
        : 'Refuse a call, as one of its approvers',
    method: 'POST',
    path: `/approvals/{id}/${act}`,
    needs: 'approve',
    forRestrictedKeys: 'users',
    mutates: true,
    body: decideApprovalRequest,
    success: 200,
    async run({ principal, projectId, params, body, actAs }) {
      if (body.user_id === undefined && principal.actsAs === undefined) {
        const told = 'user_id: is required; somebody must have decided it';
        return err(refusal('request.params_invalid', told, { field: 'user_id' }));
      }
      const approver = actAs(body.user_id);
      if (!approver.ok) return approver;
      const decided = await policy.approvals.decide(
        projectId,
        params.id as string,
        approver.value,
        verdicts[act],
        body.reason ?? null,
      );
      if (!decided.ok) return decided;
      const { arguments: _args, ...after } = shown(decided.value);
      const before = { id: after.id, status: 'pending' };
      return ok({ status: 200, body: shown(decided.value), changed: { before, after } });
    },
  });
}

/** Whose view is asked for; `null`: everybody's. A key that stands for some users sees what they may decide, and no more. */
function approverOf({
  principal,
  query,
  actAs,
}: RestRequest<undefined, OneQuery>): Result<Subject | null, Refusal> {
  if (query.user_id !== undefined) return actAs(query.user_id);
  if (!principal.confined) return ok(null);
  const message = 'user_id: is required with an API key that is restricted to users';
  return err(refusal('request.params_invalid', message, { field: 'user_id' }));
}

function shown(approval: Approval): ApprovalResponse {
  const { decidedBy, decidedAt, reason } = approval;
  return {
    id: approval.id,
    status: approval.status,
    rules: [...approval.rules],
    user_id: approval.userId,
    gateway: approval.gateway,
    tool: approval.tool,
    arguments: approval.args,
    created_at: approval.createdAt,
    expires_at: approval.expiresAt,
    ...(decidedBy === null ? {} : { decided_by: decidedBy }),
    ...(decidedAt === null ? {} : { decided_at: decidedAt }),
    ...(reason === null ? {} : { reason }),
  };
}
