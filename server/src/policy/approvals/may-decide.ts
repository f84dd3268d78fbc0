import type { Subject } from '#domain';
import { matchesSubject } from '../matching.ts';
import type { Approval } from './contract.ts';

/** Every rule needs one of its approvers, and nobody decides over a call of their own. */
export function mayDecide(
  approval: Pick<Approval, 'approvers' | 'userId' | 'personId'>,
  approver: Subject,
): boolean {
  return !isOwn(approval, approver) && approval.approvers.every((of) => matchesSubject(of, approver));
}

/** Also where the same person has another user id elsewhere. */
export function isOwn({ userId, personId }: Pick<Approval, 'userId' | 'personId'>, by: Subject): boolean {
  return by.userId === userId || (personId !== null && by.personId === personId);
}
