import { createHash } from 'node:crypto';
import { canonicalJson } from '#foundation';
import type { HeldCall } from './contract.ts';

/** Names a call, and who makes it where: what differs in any of it is another call, and needs an approval of its own. */
export function callHash({ caller, gateway, target, args, rules }: HeldCall): string {
  // Who approves is part of it: who was to approve once, and is not any more, consents to nothing.
  const held = rules.map(({ id, definition }) => canonicalJson([id, definition.approvers ?? []])).sort();
  const { projectId, id: keyId } = caller.principal;
  const call = [projectId, caller.userId, keyId, gateway?.id ?? null, target.id, args, held];
  return createHash('sha256').update(canonicalJson(call)).digest('base64url');
}
