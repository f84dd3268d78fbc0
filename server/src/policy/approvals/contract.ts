import type { ApprovalStatus, RuleRequest, SubjectSelector } from '@sallyport/contracts';
import type { Caller, Gateway, Refusal, RuleTarget, Subject } from '#domain';
import type { Members, Result } from '#foundation';
import type { Entry } from '../entries.ts';

export interface HeldCall {
  readonly caller: Caller;
  readonly gateway: Gateway | null;
  readonly target: RuleTarget;
  readonly args: Members;
  /** The rules that hold it; each needs one of its approvers. */
  readonly rules: readonly Entry<RuleRequest>[];
  /** It goes on with one that was let through, and whose source wanted to know something first. */
  readonly continues: boolean;
}

export interface Approval {
  readonly id: string;
  readonly projectId: string;
  readonly status: ApprovalStatus;
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  readonly approvers: readonly (readonly SubjectSelector[])[];
  readonly userId: string | null;
  /** Whom we know them as, where we do. */
  readonly personId: string | null;
  /** The slug that the gateway had then. */
  readonly gateway: string | null;
  readonly tool: string;
  /** `null` where it cannot be opened any more. */
  readonly args: Members | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly reason: string | null;
}

/** `approvalId`: what the call waits for. */
export type HeldRefusal = Refusal & { readonly approvalId?: string };

export interface AskedApprovals {
  readonly status?: ApprovalStatus;
  /** Only what this one may decide, or might have. */
  readonly approver?: Subject;
  readonly limit: number;
  readonly offset: number;
}

/**
 * Calls that wait for somebody's consent. A held call is resumed by making the same call again: same user, key, gateway, tool
 * and arguments. An approval lets exactly one call through.
 */
export interface Approvals {
  /**
   * Uses up the approval of this call; or refuses it: `policy.approval_required` with the id of what waits (a new one, or the
   * one that already does), `policy.approval_denied`. What is told is in `details`.
   */
  redeem(call: HeldCall): Promise<Result<{ readonly id: string; readonly decidedBy: string }, HeldRefusal>>;
  /** The call that used it is not over: its source wants to know something first. Whoever continues it may use it again. */
  giveBack(id: string): Promise<void>;
  /** The call that used it surely did nothing: the same call may use it again. */
  unused(id: string): Promise<void>;
  /** The newest first; of very many, only the newest. */
  list(
    projectId: string,
    asked: AskedApprovals,
  ): Promise<{ readonly items: readonly Approval[]; readonly total: number }>;
  /** `approver`: only if this one may decide it, or might have. */
  get(projectId: string, id: string, approver: Subject | null): Promise<Approval | null>;
  /** Refused for whoever is no approver of every rule, or is the user whose call waits. */
  decide(
    projectId: string,
    id: string,
    approver: Subject,
    verdict: 'approved' | 'denied',
    reason: string | null,
  ): Promise<Result<Approval, Refusal>>;
}
