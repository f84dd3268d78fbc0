import type { Audit } from '#audit';
import type { Refusal, Tool } from '#domain';
import { type Clock, elapsedMs } from '#foundation';
import type { HubAsking } from './contract.ts';

export interface RecordDeps {
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
}

/** The one record of what was asked of the catalogue; of what was to be run, where it did not come to a call. */
export async function recordAsked(
  { audit, clock }: RecordDeps,
  { caller, gateway, span, startedAt }: HubAsking,
  what: string,
  refused: (Refusal & { readonly hidden?: Tool }) | null = null,
): Promise<void> {
  const { principal, userId, clientId } = caller;
  const hidden = refused?.hidden ?? null;
  const isCall = what.endsWith('_tool') || what.endsWith('_execution');
  await audit.record({
    kind: isCall ? 'tool_call' : 'tool_list',
    decision: refused === null ? 'allowed' : refused.code === 'internal' ? 'failed' : 'refused',
    projectId: principal.projectId,
    userId,
    principal: principal.id,
    clientId: clientId ?? null,
    gateway: gateway?.slug ?? null,
    tool: hidden?.qualifiedName ?? what,
    toolId: hidden?.id ?? null,
    source: hidden?.sourceId ?? null,
    code: hidden !== null ? 'policy.not_granted' : (refused?.code ?? null),
    reason: hidden !== null ? `${what}: it may not be used` : (refused?.reason ?? refused?.message ?? null),
    traceId: span.traceId,
    durationMs: elapsedMs(clock, startedAt),
  });
}
