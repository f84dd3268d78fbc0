import type { AuditKind, PolicyTrace } from '@sallyport/contracts';
import type { Audit } from '#audit';
import type { Caller, Gateway } from '#domain';
import { type Clock, elapsedMs, type Result } from '#foundation';
import type { CallRefusal } from './call.ts';

/** What was asked, as the record names it. */
interface Asked {
  readonly kind: AuditKind;
  readonly tool: string;
  readonly toolId: string | null;
  readonly source: string | null;
  readonly executionId: string | null;
  readonly traceId: string | null;
}

/** Journals the one record of a call or a request. Only strict durability gives something to wait for. */
export function record(
  { audit, clock }: { readonly audit: Audit; readonly clock: Clock },
  asked: Asked,
  { caller, gateway, startedAt }: { caller: Caller; gateway: Gateway | null; startedAt: number },
  outcome: Result<{ readonly isError: boolean }, CallRefusal>,
  policy: PolicyTrace | null,
): void | Promise<void> {
  const { principal, userId, clientId } = caller;
  return audit.record({
    ...asked,
    ...saidOf(outcome),
    projectId: principal.projectId,
    userId,
    principal: principal.id,
    clientId: clientId ?? null,
    gateway: gateway?.slug ?? null,
    durationMs: elapsedMs(clock, startedAt),
    policy,
  });
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
