import type { RuleRequest } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, type MaybePromise, type Members, ok, type Result } from '#foundation';
import type { Admission, Grant, PolicyRefusal, Request } from './contract.ts';
import { stillGranted } from './decide.ts';
import type { Entry } from './entries.ts';
import type { Taken } from './limits/contract.ts';
import type { Parts } from './parts.ts';
import { looksFor, screenCall } from './screen.ts';
import { traced } from './trace.ts';

/** What may go in. The brand of an `Admission` exists only in types; this is the one place that gives it. */
export function admit(
  parts: Parts,
  grant: Grant,
  request: Request,
): MaybePromise<Result<Admission, PolicyRefusal>> {
  // A hook that says who may have it, or a user who consented first, took their time.
  if (!stillGranted(parts, grant)) return err(takenAway(grant));
  const screened = screenArgs(parts, grant, request, request.args);
  if (!screened.ok) return screened;
  const taken = request.follows ? uncounted : parts.limits.take(grant);
  const go = (result: Awaited<typeof taken>): MaybePromise<Result<Admission, PolicyRefusal>> => {
    const passed = traced(grant.trace, grant.trace.limits, result);
    if (!passed.ok) return passed;
    const { args, held } = screened.value;
    const hooked = request.tool !== null && parts.hooks.has(grant.target.projectId, 'pre');
    if (held.length === 0 && !hooked)
      return ok(admission(parts, grant, request, { args, secrets: [], taken: passed.value }));
    return askOthers(parts, grant, request, screened.value, passed.value);
  };
  return taken instanceof Promise ? taken.then(go) : go(taken);
}

const uncounted = ok<Taken>({ traces: [], release() {}, undo() {} });

interface ScreenedArgs {
  readonly args: Members;
  readonly held: readonly Entry<RuleRequest>[];
}

/** Hooks and approvers. Whoever refuses, the place among the running calls is given back. */
async function askOthers(
  parts: Parts,
  grant: Grant,
  request: Request,
  screened: ScreenedArgs,
  taken: Taken,
): Promise<Result<Admission, PolicyRefusal>> {
  let admitted = false;
  try {
    const hooked = await askHooks(parts, grant, request, screened.args);
    if (!hooked.ok) return hooked;
    // Others took their time.
    if (!stillGranted(parts, grant)) return err(takenAway(grant));
    const held = new Set([...screened.held, ...hooked.value.held]);
    if (held.size > 0) {
      const redeemed = await parts.approvals.redeem({
        ...grant,
        args: screened.args,
        rules: [...held],
        continues: request.continues,
      });
      if (!redeemed.ok) {
        const { approvalId, ...refused } = redeemed.error;
        if (approvalId !== undefined) grant.trace.approval = { id: approvalId };
        return err({ ...refused, policy: grant.trace });
      }
      grant.trace.approval = { id: redeemed.value.id, decided_by: redeemed.value.decidedBy };
      grant.sent.approved = new Set([...held].map(({ id }) => id));
    }
    admitted = true;
    const { args, secrets } = hooked.value;
    return ok(admission(parts, grant, request, { args, secrets, taken }));
  } finally {
    if (!admitted) taken.release();
  }
}

function takenAway({ trace }: Grant): PolicyRefusal {
  return { ...refusal('policy.not_granted', 'access was taken away before the call ran'), policy: trace };
}

async function askHooks(
  parts: Parts,
  grant: Grant,
  request: Request,
  args: Members,
): Promise<Result<ScreenedArgs & Pick<Admission, 'secrets'>, PolicyRefusal>> {
  const { tool, executionId, signal } = request;
  if (tool === null || !parts.hooks.has(tool.projectId, 'pre')) return ok({ args, held: [], secrets: [] });
  const carried = (await request.carried?.()) ?? [];
  const asked = await parts.hooks.pre({ subject: grant.caller, tool, executionId, args, signal, carried });
  const answered = traced(grant.trace, grant.trace.hooks, asked);
  if (!answered.ok) return answered;
  const { secrets, args: changed } = answered.value;
  if (changed === null) return ok({ args, held: [], secrets });
  const screened = screenArgs(parts, grant, request, { ...changed, ...request.fixed }, true);
  return screened.ok ? ok({ ...screened.value, secrets }) : screened;
}

/** Arguments as rules leave them, such that the tool still takes them. */
function screenArgs(
  parts: Parts,
  grant: Grant,
  request: Request,
  args: Members,
  check = false,
): Result<ScreenedArgs, PolicyRefusal> {
  const { trace } = grant;
  const found = screenCall(parts, grant, 'input', args, () => ({
    json: JSON.stringify(args),
    roots: request.roots,
    at: request.tool === null ? 'params' : 'arguments',
  }));
  if (found !== null && found.blocked !== null) {
    const { message, reason } = found.blocked;
    return err({ ...refusal('policy.input_blocked', message, { reason }), policy: trace });
  }
  const changed = check || (found !== null && found.json !== null);
  const held = found?.held ?? [];
  const screened = {
    args: found === null || found.json === null ? args : JSON.parse(found.json),
    held: request.follows ? held.filter(looksFor) : held,
  };
  if (!changed) return ok(screened);
  const checked = request.check(screened.args);
  return checked.ok ? ok({ ...screened, args: checked.value }) : err({ ...checked.error, policy: trace });
}

function admission(
  { approvals }: Parts,
  grant: Grant,
  { executionId }: Request,
  { args, secrets, taken }: Pick<Admission, 'args' | 'secrets'> & { readonly taken: Taken },
): Admission {
  grant.sent.args = args;
  const approvalId = grant.trace.approval?.id;
  const made: Omit<Admission, symbol> = {
    grant,
    executionId,
    args,
    secrets,
    end: taken.release,
    unused(isUncounted) {
      if (isUncounted) taken.undo();
      return approvalId === undefined ? undefined : approvals.unused(approvalId);
    },
  };
  return made as Admission;
}
