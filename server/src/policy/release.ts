import type { ErrorCode } from '@sallyport/contracts';
import { refusal, type SourceReturn } from '#domain';
import { err, type MaybePromise, type Members, ok, type Result } from '#foundation';
import type {
  Admission,
  Asking,
  Grant,
  Passing,
  PolicyRefusal,
  Release,
  Request,
  SpokenFailure,
} from './contract.ts';
import { stillGranted } from './decide.ts';
import type { Parts } from './parts.ts';
import { hookedOutputOf, withOutput } from './returned-output.ts';
import type { Screening } from './rules/contract.ts';
import { looksFor, screen, screenCall } from './screen.ts';
import { traced } from './trace.ts';

/** What may come out. The brand of a `Release` exists only in types; this is the one place that gives it. */
export function release(
  parts: Parts,
  admission: Admission,
  request: Request,
  returned: SourceReturn,
): MaybePromise<Result<Release, PolicyRefusal>> {
  const { grant } = admission;
  if (!stillGranted(parts, grant)) return err(revoked(grant));
  if (returned.form !== 'input_required' && returned.passed === true) return ok(releaseOf(returned));
  const screened = screenReturn(parts, grant, returned);
  if (!screened.ok) return screened;
  const { tool } = request;
  const approvalId = grant.trace.approval?.id;
  // The call is not over: it comes again with the answers, and needs the same consent.
  if (screened.value.form === 'input_required' && approvalId !== undefined)
    return parts.approvals.giveBack(approvalId).then(() => ok(releaseOf(screened.value)));
  if (tool === null || screened.value.form === 'input_required' || !parts.hooks.has(tool.projectId, 'post'))
    return ok(releaseOf(screened.value));
  return askHooks(parts, admission, { ...request, tool }, screened.value);
}

/** What passed so has gone when `release` is asked about what is left of it. */
export function passesUnread(parts: Parts, grant: Grant): boolean {
  const { gateway, target } = grant;
  return (
    stillGranted(parts, grant) &&
    parts.rules.plan('output', gateway, target) === null &&
    !parts.hooks.has(target.projectId, 'post')
  );
}

const goneMessage =
  'access was taken away while the call ran; what it did was done, and its answer is withheld';

function revoked({ trace }: Grant): PolicyRefusal {
  return { ...refusal('policy.not_granted', goneMessage), policy: trace };
}

async function askHooks(
  parts: Parts,
  admission: Admission,
  request: Request & { readonly tool: NonNullable<Request['tool']> },
  returned: Exclude<SourceReturn, { form: 'input_required' }>,
): Promise<Result<Release, PolicyRefusal>> {
  const { grant, executionId, args } = admission;
  const asked = await parts.hooks.post({
    subject: grant.caller,
    tool: request.tool,
    executionId,
    args,
    signal: request.signal,
    carried: (await request.carried?.()) ?? [],
    ...hookedOutputOf(returned),
  });
  const answered = traced(grant.trace, grant.trace.hooks, asked);
  if (!answered.ok) return answered;
  if (!stillGranted(parts, grant)) return err(revoked(grant));
  const { output } = answered.value;
  if (output === null) return ok(releaseOf(returned));
  const again = screenReturn(parts, grant, withOutput(returned, output.value));
  return again.ok ? ok(releaseOf(again.value)) : again;
}

/** Where the paths of rules begin in what sources answer. */
const rootsOf = {
  // In what is told of a task, its result stands in a member.
  mcp: ['structuredContent', '_meta', 'result.structuredContent', 'result._meta', 'error.data'],
  worker: ['value'],
  input_required: [],
} as const;

function screenReturn(
  parts: Parts,
  grant: Grant,
  returned: SourceReturn,
): Result<SourceReturn, PolicyRefusal> {
  const json = () => jsonOf(returned);
  const found = screenOut(parts, grant, json, rootsOf[returned.form]);
  if (found === null) return ok(returned);
  if (found.blocked !== null) {
    const { message, reason } = found.blocked;
    return err({ ...refusal('policy.output_blocked', message, { reason }), policy: grant.trace });
  }
  if (found.json === null) return ok(returned);
  if (returned.form === 'mcp') return ok({ ...returned, result: Buffer.from(found.json) });
  const value = JSON.parse(found.json);
  return ok(returned.form === 'worker' ? { ...returned, output: value } : { ...returned, requests: value });
}

function jsonOf(returned: SourceReturn): string {
  if (returned.form === 'mcp') return returned.result.toString('utf8');
  return JSON.stringify(returned.form === 'worker' ? returned.output : returned.requests);
}

function screenOut(
  parts: Parts,
  grant: Grant,
  json: () => string,
  roots: readonly string[],
  direction: 'input' | 'output' = 'output',
): Screening | null {
  return screenCall(parts, grant, direction, grant.sent.args, () => ({ json: json(), roots, at: '' }));
}

/** A failure tells what a source said: the same rules hold for it. */
export function releaseFailure<Failure extends SpokenFailure>(
  parts: Parts,
  grant: Grant,
  failure: Failure,
): Failure {
  if (!stillGranted(parts, grant)) return withheld(failure, 'policy.not_granted', { message: goneMessage });
  const { message, reason, rpc } = failure;
  const spoken = { message, reason, said: rpc?.message, data: rpc?.data };
  const found = screenOut(parts, grant, () => JSON.stringify(spoken), ['data']);
  if (found === null) return failure;
  if (found.blocked !== null) return withheld(failure, 'policy.output_blocked', found.blocked);
  if (found.json === null) return failure;
  const told = JSON.parse(found.json) as typeof spoken;
  return {
    ...failure,
    message: told.message,
    ...(reason === undefined ? {} : { reason: told.reason }),
    ...(rpc === undefined
      ? {}
      : { rpc: { ...rpc, message: told.said ?? '', ...('data' in rpc ? { data: told.data } : {}) } }),
  };
}

/** The failure of something that was sent, without a word of the source. */
function withheld<Failure extends SpokenFailure>(
  failure: Failure,
  code: ErrorCode,
  { message, reason }: { readonly message: string; readonly reason?: string },
): Failure {
  const { rpc: _rpc, reason: _reason, ...rest } = failure;
  const told = { ...rest, code, ran: true, message, ...(reason === undefined ? {} : { reason }) };
  return told as unknown as Failure;
}

/** What passes while a call runs; `null`: it may not. */
export function passing(parts: Parts, grant: Grant, what: Passing, value: Members): Members | null {
  if (!stillGranted(parts, grant)) return null;
  const { direction, roots } = passings[what];
  const found = screenOut(parts, grant, () => JSON.stringify(value), roots, direction);
  if (found === null) return value;
  // Nobody can be asked now.
  const { approved } = grant.sent;
  const isHeld = found.held.some((rule) => looksFor(rule) && !approved.has(rule.id));
  return isHeld ? null : leftOf(value, found);
}

/** Outside of any call there is no record that a trace would stand in. */
export function overheard(parts: Parts, asking: Asking, value: Members): Members | null {
  const document = () => ({ json: JSON.stringify(value), roots: said, at: '' });
  const found = screen(parts, asking, 'output', {}, document);
  return found === null ? value : leftOf(value, found);
}

/** Where the paths of rules begin in what is said and asked meanwhile. */
const said = ['data', 'content', '_meta', 'result', 'result.structuredContent', 'result._meta', 'error.data'];

const passings = {
  said: { direction: 'output', roots: said },
  answer: { direction: 'input', roots: ['content', '_meta', 'data'] },
  answers: { direction: 'input', roots: ['*.content', '*._meta'] },
} as const;

function leftOf(value: Members, { blocked, json }: Screening): Members | null {
  if (blocked !== null) return null;
  return json === null ? value : JSON.parse(json);
}

function releaseOf(returned: SourceReturn): Release {
  return { returned } as Release;
}
