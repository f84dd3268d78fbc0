import type { Subject } from '#domain';
import { matchesSubject } from '../matching.ts';
import type { Approval } from './contract.ts';

/** Every rule needs one of its approvers, and nobody decides over a call of their own. */
export function mayDecide({ approvers, userId }: Pick<Approval, 'approvers' | 'userId'>, approver: Subject) {
  return approver.userId !== userId && approvers.every((of) => matchesSubject(of, approver));
}
