import type { Audit } from '#audit';
import type { ConsentEvent } from '#credentials';

/** How a consent at the authorization server of a source ended; what the source is called tells where. */
export function recordConsent(
  { projectId, sourceId, userId, personId, decision, reason, id }: ConsentEvent,
  audit: Audit,
): void | Promise<void> {
  return audit.record({
    kind: 'credential',
    decision,
    projectId,
    userId: userId === '' ? null : userId,
    principal: personId,
    source: sourceId,
    code: decision === 'failed' ? 'credentials.consent_required' : null,
    reason: `${reason} (${id})`,
  });
}
