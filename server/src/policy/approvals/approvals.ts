import { type Refusal, refusal, type Subject } from '#domain';
import { type Clock, err, isMembers, type Members, newId, ok, type Sealer } from '#foundation';
import type { Db } from '#storage';
import { type ApprovalHead, createApprovalStore, type KeptApproval } from './approval-store.ts';
import { callHash } from './call-hash.ts';
import type { Approval, Approvals, HeldCall } from './contract.ts';
import { heldRefusal, notHeld } from './held-refusal.ts';
import { isOwn, mayDecide } from './may-decide.ts';

export interface ApprovalsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
}

const purpose = 'approval arguments';
const defaultTtlSeconds = 3600;
/** Nobody can judge more than this. */
const maxArgsText = 256 * 1024;

export function createApprovals({ db, clock, sealer }: ApprovalsDeps): Approvals {
  const store = createApprovalStore(db);

  async function withArgs(heads: readonly ApprovalHead[]): Promise<readonly Approval[]> {
    const sealed = await store.sealedArgs(heads.map(({ id }) => id));
    return heads.map((head) => {
      const args = sealer.open(purpose, sealed.get(head.id) ?? '', head.id);
      return { ...head, args: isMembers(args) ? (args as Members) : null };
    });
  }

  async function get(projectId: string, id: string, approver: Subject | null): Promise<Approval | null> {
    const head = await store.get(projectId, id, clock.iso());
    return head === null || (approver !== null && !mayDecide(head, approver))
      ? null
      : ((await withArgs([head]))[0] ?? null);
  }

  return {
    async redeem(call) {
      const hash = callHash(call);
      const { continues } = call;
      let live = await store.live(hash, continues, clock.iso());
      if (live?.status === 'approved') {
        if (await store.use(live.id, continues, clock.iso()))
          return ok({ id: live.id, decidedBy: live.decidedBy ?? '' });
        // Another call was faster: this one needs an approval of its own.
        live = null;
      }
      if (live !== null) return err(heldRefusal(call, live));
      if (JSON.stringify(call.args).length > maxArgsText)
        return err(
          notHeld(`its arguments are more than anybody can look through (${maxArgsText / 1024} KiB)`),
        );
      const held = await store.hold(newApproval(call, hash, { clock, sealer }));
      if (held === null)
        return err(
          notHeld('too many calls of this user wait already: they have to be decided, or expire, first'),
        );
      return err(heldRefusal(call, held));
    },

    giveBack: (id) => store.giveBack(id, 'asking'),
    unused: (id) => store.giveBack(id, 'approved'),

    async list(projectId, { status, approver, limit, offset }) {
      const all = await store.heads(projectId, status ?? null, clock.iso());
      const heads = approver === undefined ? all : all.filter((head) => mayDecide(head, approver));
      return { items: await withArgs(heads.slice(offset, offset + limit)), total: heads.length };
    },

    get,

    async decide(projectId, id, approver, verdict, reason) {
      const approval = await get(projectId, id, null);
      if (approval === null)
        return err(refusal('resource.unknown', `there is no approval ${id}`, { field: 'id' }));
      const problem = problemOf(approval, approver);
      if (problem !== null) return err(problem);
      const now = clock.now();
      const ttlMs = Date.parse(approval.expiresAt) - Date.parse(approval.createdAt);
      const decided = await store.decide(id, {
        status: verdict,
        decidedBy: approver.userId,
        reason,
        nowIso: clock.iso(),
        // Who waited for the last minute shall have the time to make the call.
        expiresAt: new Date(now + ttlMs).toISOString(),
      });
      const after = await get(projectId, id, null);
      return decided && after !== null ? ok(after) : err(notOpen(after ?? approval));
    },
  };
}

function newApproval(
  { caller, gateway, target, args, rules }: HeldCall,
  hash: string,
  { clock, sealer }: Pick<ApprovalsDeps, 'clock' | 'sealer'>,
): KeptApproval {
  const id = newId('apr', clock.now());
  const ttls = rules.map(({ definition }) => definition.approval_ttl_seconds ?? defaultTtlSeconds);
  return {
    id,
    projectId: caller.principal.projectId,
    callHash: hash,
    status: 'pending',
    rules: rules.map(({ id: ruleId, definition }) => ({ id: ruleId, name: definition.name })),
    approvers: rules.map(({ definition }) => definition.approvers ?? []),
    userId: caller.userId,
    personId: caller.personId ?? null,
    principal: caller.principal.id,
    gateway: gateway?.slug ?? null,
    tool: target.ruleName,
    toolId: target.id,
    sealedArgs: sealer.seal(purpose, args, id),
    createdAt: clock.iso(),
    expiresAt: new Date(clock.now() + Math.min(...ttls) * 1000).toISOString(),
    decidedBy: null,
    decidedAt: null,
    reason: null,
  };
}

function problemOf(approval: Approval, approver: Subject): Refusal | null {
  const refused = (message: string) => refusal('identity.user_refused', message, { field: 'user_id' });
  if (isOwn(approval, approver)) return refused('user_id: nobody decides over a call of their own');
  if (!mayDecide(approval, approver)) {
    const names = approval.rules.map(({ name }) => JSON.stringify(name)).join(', ');
    return refused(`user_id: is not among the approvers of ${names}`);
  }
  return approval.status === 'pending' ? null : notOpen(approval);
}

function notOpen({ id, status, decidedBy }: Approval): Refusal {
  const by = decidedBy === null ? '' : ` (decided by ${decidedBy})`;
  return refusal('resource.conflict', `approval ${id} is ${status}${by} and cannot be decided any more`, {
    field: 'id',
  });
}
