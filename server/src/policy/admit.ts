import type { RuleRequest } from '@sallyport/contracts';
import { refusal } from '#domain';
import { err, type Members, ok, type Result } from '#foundation';
import type { Admission, Grant, PolicyRefusal, Request } from './contract.ts';
import { stillGranted } from './decide.ts';
import type { Entry } from './entries.ts';
import type { MaybePromise, Taken } from './limits/contract.ts';
import type { Parts } from './parts.ts';
import type { RulePlan } from './rules/contract.ts';
import { addRules } from './trace.ts';

/** What may go in. The brand of an `Admission` exists only in types; this is the one place that gives it. */
export function admit(
  parts: Parts,
  grant: Grant,
  request: Request,
): MaybePromise<Result<Admission, PolicyRefusal>> {
  const screened = screenArgs(parts, grant, request, request.args);
  if (!screened.ok) return screened;
  const taken = request.follows ? uncounted : parts.limits.take(grant);
  const go = (result: Awaited<typeof taken>): MaybePromise<Result<Admission, PolicyRefusal>> => {
    if (!result.ok) {
      const { traces, ...refused } = result.error;
      grant.trace.limits.push(...traces);
      return err({ ...refused, policy: grant.trace });
    }
    grant.trace.limits.push(...result.value.traces);
    const { args, held } = screened.value;
    const hooked = request.tool !== null && parts.hooks.has(grant.target.projectId, 'pre');
    if (held.length === 0 && !hooked) return ok(admission(grant, request, args, [], result.value));
    return askOthers(parts, grant, request, screened.value, result.value);
  };
  return taken instanceof Promise ? taken.then(go) : go(taken);
}

const uncounted = ok<Taken>({ traces: [], release() {} });

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
    if (!stillGranted(parts, grant)) {
      const message = 'access was taken away before the call ran';
      return err({ ...refusal('policy.not_granted', message), policy: grant.trace });
    }
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
    return ok(admission(grant, request, hooked.value.args, hooked.value.secrets, taken));
  } finally {
    if (!admitted) taken.release();
  }
}

async function askHooks(
  parts: Parts,
  grant: Grant,
  request: Request,
  args: Members,
): Promise<Result<ScreenedArgs & Pick<Admission, 'secrets'>, PolicyRefusal>> {
  const { tool, executionId, signal } = request;
  if (tool === null || !parts.hooks.has(tool.projectId, 'pre')) return ok({ args, held: [], secrets: [] });
  const answered = await parts.hooks.pre({ subject: grant.caller, tool, executionId, args, signal });
  if (!answered.ok) {
    const { traces, ...refused } = answered.error;
    grant.trace.hooks.push(...traces);
    return err({ ...refused, policy: grant.trace });
  }
  const { traces, secrets, args: changed } = answered.value;
  grant.trace.hooks.push(...traces);
  if (changed === null) return ok({ args, held: [], secrets });
  const screened = screenArgs(parts, grant, request, changed, true);
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
  const { caller, gateway, target, trace } = grant;
  const plan = parts.rules.plan('input', gateway, target);
  let screened: ScreenedArgs = { args, held: [] };
  let changed = check;
  if (plan !== null) {
    const document = {
      json: JSON.stringify(args),
      roots: request.roots,
      at: request.tool === null ? 'params' : 'arguments',
    };
    const facts = { subject: caller, gateway, target, args, nowMs: parts.clock.now() };
    const found = screen(plan, document, facts, trace);
    if (found.blocked !== null) {
      const { message, reason } = found.blocked;
      return err({ ...refusal('policy.input_blocked', message, { reason }), policy: trace });
    }
    changed ||= found.json !== null;
    const held = request.follows ? found.held.filter(looksFor) : found.held;
    screened = { args: found.json === null ? args : JSON.parse(found.json), held };
  }
  if (!changed) return ok(screened);
  const checked = request.check(screened.args);
  return checked.ok ? ok({ ...screened, args: checked.value }) : err({ ...checked.error, policy: trace });
}

/** What holds a call whatever it says held the one that this is about. */
function looksFor({ definition }: Entry<RuleRequest>): boolean {
  return definition.match !== undefined;
}

function screen(
  plan: RulePlan,
  document: Parameters<RulePlan['screen']>[0],
  facts: Parameters<RulePlan['screen']>[1],
  trace: Grant['trace'],
) {
  const found = plan.screen(document, facts);
  addRules(trace, found.traces);
  return found;
}

function admission(
  grant: Grant,
  { executionId }: Request,
  args: Members,
  secrets: Admission['secrets'],
  taken: Taken,
): Admission {
  grant.sent.args = args;
  return { grant, executionId, args, secrets, end: taken.release } as unknown as Admission;
}
