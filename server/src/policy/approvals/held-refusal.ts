import { refusal } from '#domain';
import type { LiveApproval } from './approval-store.ts';
import type { HeldCall, HeldRefusal } from './contract.ts';

/** What the model reads: that nothing ran, what it waits for, and how it goes on. */
export function heldRefusal({ rules }: HeldCall, approval: LiveApproval): HeldRefusal {
  const words = [...new Set(rules.flatMap(({ definition }) => definition.message ?? []))];
  const { id, status, expiresAt } = approval;
  const denied = status === 'denied';
  const outcome = denied
    ? `This call did not run: it was denied (approval ${id}). The same call is refused until ${expiresAt}.`
    : `This call did not run yet: it waits for approval ${id}, which somebody whom the gateway's rules name has to give before ${expiresAt}. Once it is approved, make the same call again, unchanged; it then runs once.`;
  const details = {
    approval: {
      id,
      status,
      expires_at: expiresAt,
      rules: approval.rules.map(({ name }) => name),
      ...(denied ? {} : { resume: 'make the same call again once it is approved' }),
    },
  };
  const code = denied ? 'policy.approval_denied' : 'policy.approval_required';
  const message = [...words, outcome].join('\n');
  return { ...refusal(code, message, { reason: `${status}: ${id}`, details }), approvalId: id };
}

/** It cannot even wait. */
export function notHeld(problem: string): HeldRefusal {
  return refusal('policy.approval_required', `This call did not run: it needs an approval, and ${problem}`);
}
