import type { AuditKind, PolicyTrace } from '@sallyport/contracts';
import type { Audit } from '#audit';
import type { Caller, Gateway } from '#domain';
import { type Clock, elapsedMs, type Result } from '#foundation';
import { describe, type Span, toolError } from '#telemetry';
import type { CallRefusal } from './call.ts';

/** What was asked, as the record names it. */
interface Asked {
  readonly kind: AuditKind;
  readonly tool: string;
  readonly toolId: string | null;
  readonly source: string | null;
  readonly executionId: string | null;
  /** Of the whole request; `null`: it has none. */
  readonly span: Span | null;
}

/** Journals the one record of a call or a request. Only strict durability gives something to wait for. */
export function record(
  { audit, clock }: { readonly audit: Audit; readonly clock: Clock },
  { span, ...asked }: Asked,
  { caller, gateway, startedAt }: { caller: Caller; gateway: Gateway | null; startedAt: number },
  outcome: Result<{ readonly isError: boolean }, CallRefusal>,
  policy: PolicyTrace | null,
): void | Promise<void> {
  const { principal, userId, clientId } = caller;
  const said = saidOf(outcome);
  if (span !== null) tell(span, asked, said, outcome);
  return audit.record({
    ...asked,
    ...said,
    traceId: span?.traceId ?? null,
    projectId: principal.projectId,
    userId,
    principal: principal.id,
    clientId: clientId ?? null,
    gateway: gateway?.slug ?? null,
    durationMs: elapsedMs(clock, startedAt),
    policy,
  });
}

/** The span says what the record says, but for who it was and what was asked with. */
function tell(
  span: Span,
  { toolId, tool, source, executionId }: Omit<Asked, 'span'>,
  { decision, code }: ReturnType<typeof saidOf>,
  outcome: Result<unknown, unknown>,
): void {
  if (code !== null) span.fail(outcome.ok ? toolError : code);
  if (span.sampled)
    describe(span, { decision, execution: executionId, source, tool: toolId === null ? null : tool });
}

function saidOf(outcome: Result<{ readonly isError: boolean }, CallRefusal>) {
  if (!outcome.ok) {
    const { error } = outcome;
    return {
      decision: isFailure(error) ? 'failed' : 'refused',
      code: error.code,
      reason: reasonOf(error),
    } as const;
  }
  return outcome.value.isError
    ? ({ decision: 'failed', code: 'source.tool_failed', reason: null } as const)
    : ({ decision: 'allowed', code: null, reason: null } as const);
}

/** A source's own error may repeat what it was sent, so only its number stands in the record. */
function reasonOf({ reason, message, rpc }: CallRefusal): string {
  return rpc === undefined ? (reason ?? message) : `the source answered with the JSON-RPC error ${rpc.code}`;
}

/** Nobody said no: something did not work. */
function isFailure(error: CallRefusal): boolean {
  return hasRun(error) || error.code === 'credentials.provider_unavailable';
}

/** Whether a refusal came after policy had said yes: what a source, or we ourselves, could not do. */
export function hasRun({ code, ran }: CallRefusal): boolean {
  return ran === true || code.startsWith('source.') || code === 'internal';
}
