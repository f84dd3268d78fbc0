import type { AuditEntry } from '#audit';
import type { Log } from '#telemetry';
import type { AuditObserver } from './observed-audit.ts';

/**
 * One line for each decision. It names what administrators named, and ids; never a user, nor what a client wrote: who it was and what
 * was asked for stands in the record, which the execution leads to.
 */
export function logDecisions(log: Log, isGateway: (slug: string) => boolean): AuditObserver {
  return (entry) => {
    const { gateway } = entry;
    log.each(
      {
        kind: entry.kind,
        decision: entry.decision,
        code: entry.code ?? undefined,
        project: entry.projectId,
        // Anybody may knock at a gateway that does not exist.
        gateway: gateway != null && isGateway(gateway) ? gateway : undefined,
        source: entry.source ?? undefined,
        tool: isNamedHere(entry) ? (entry.tool ?? undefined) : undefined,
        execution_id: entry.executionId ?? undefined,
        trace_id: entry.traceId ?? undefined,
        duration_ms: entry.durationMs ?? undefined,
        principal: entry.principal ?? undefined,
        client_id: entry.clientId ?? undefined,
      },
      messages[entry.kind],
    );
  };
}

/** A tool or a prompt that is known, or an operation of ours; a URI may hold anything. */
function isNamedHere({ kind, toolId }: AuditEntry): boolean {
  if (kind === 'tool_call' || kind === 'prompt_get') return toolId != null;
  return kind === 'admin' || kind === 'credential' || kind === 'sign_in' || kind === 'tool_change';
}

const messages: Readonly<Record<AuditEntry['kind'], string>> = {
  tool_call: 'tool call',
  tool_list: 'list of tools',
  prompt_get: 'prompt',
  prompt_list: 'list of prompts',
  resource_read: 'resource',
  resource_list: 'list of resources',
  resource_subscribe: 'subscription to a resource',
  completion: 'completion',
  task: 'task',
  extension: 'request of an extension',
  tool_change: 'changed tool',
  admin: 'administration',
  sign_in: 'sign-in',
  credential: 'account of a user',
  inference: 'request of a model',
};
