import { createHash } from 'node:crypto';
import { canonicalJson } from '#foundation';
import type { HeldCall } from './contract.ts';

/** Names a call, and who makes it where: what differs in any of it is another call, and needs an approval of its own. */
export function callHash({ caller, gateway, target, args, rules }: HeldCall): string {
  const ruleIds = rules.map(({ id }) => id).sort();
  const { projectId, id: keyId } = caller.principal;
  const call = [projectId, caller.userId, keyId, gateway?.id ?? null, target.id, args, ruleIds];
  return createHash('sha256').update(canonicalJson(call)).digest('base64url');
}
