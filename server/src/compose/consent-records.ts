import type { ErrorCode } from '@sallyport/contracts';
import type { Audit } from '#audit';
import type { ConsentEvent } from '#credentials';

const failures: { readonly [kind in ConsentEvent['kind']]?: ErrorCode } = {
  failed: 'credentials.authorization_failed',
  expired: 'credentials.authorization_failed',
  renewal_refused: 'credentials.consent_required',
};

const words: Readonly<Record<ConsentEvent['kind'], string>> = {
  asked: 'the user is asked for consent',
  completed: 'consented',
  failed: 'the consent failed',
  expired: 'the consent failed',
  revoked: 'disconnected',
  chosen: 'the account was changed',
  renewal_refused: 'the token is not renewed any more',
};

/** What users let us do, and how that began and ended; what the source or provider is called tells where. */
export function recordConsent(
  { kind, target, userId, personId, code, reason, id }: ConsentEvent,
  audit: Audit,
): void | Promise<void> {
  const failure = failures[kind] ?? null;
  return audit.record({
    kind: 'credential',
    decision: failure === null ? 'allowed' : 'failed',
    projectId: target.projectId,
    userId: userId === '' ? null : userId,
    principal: personId,
    source: target.id,
    code: failure,
    reason: `${words[kind]}: ${reason}${code === null ? '' : ` [${code}]`} (${id})`,
  });
}
