import { z } from 'zod';
import { pageQuery } from '../page.ts';

export const approvalStatuses = ['pending', 'approved', 'denied', 'used', 'expired'] as const;
export type ApprovalStatus = (typeof approvalStatuses)[number];

const userId = z.string().min(1).max(256);

/** `GET /v1/approvals/{id}`: `user_id` is an approver, who is shown only what they may decide. */
export const approvalQuery = z.object({ user_id: userId.optional() });

/** `GET /v1/approvals`. */
export const approvalsQuery = pageQuery
  .extend(approvalQuery.shape)
  .extend({ status: z.enum(approvalStatuses).optional() });

/** `POST /v1/approvals/{id}/approve`, `…/deny`: `user_id` is the approver, whom a key must be allowed to act for; people are it themselves. */
export const decideApprovalRequest = z.strictObject({
  user_id: userId.optional(),
  reason: z.string().max(2000).optional(),
});
export type DecideApprovalRequest = z.infer<typeof decideApprovalRequest>;

/** A call that waits for somebody's consent. */
export interface ApprovalResponse {
  id: string;
  status: ApprovalStatus;
  rules: { id: string; name: string }[];
  user_id: string | null;
  gateway: string | null;
  tool: string;
  /** What the call would be made with: shown to those who decide. `null` where this server cannot read it any more. */
  arguments: Record<string, unknown> | null;
  created_at: string;
  expires_at: string;
  decided_by?: string;
  decided_at?: string;
  reason?: string;
}
