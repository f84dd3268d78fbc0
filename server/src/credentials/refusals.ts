import { type Refusal, refusal } from '#domain';
import type { Flow } from './store/kept.ts';

export function noUser(what: string): Refusal {
  return refusal(
    'credentials.not_configured',
    `${what} wants to know for which user it acts: say so (user_id, or the header Arcade-User-ID)`,
  );
}

export function stillRefused(sourceId: string, why: string): Refusal {
  return refusal(
    'source.secret_refused',
    `${sourceId} refuses the call, ${why}; ask whoever runs that server`,
  );
}

export function providerRefused(sourceId: string, providerId: string): Refusal {
  return stillRefused(sourceId, `though it came with the user's token of ${providerId}`);
}

export function declined(targetId: string): Refusal {
  return refusal(
    'credentials.authorization_failed',
    `${targetId} needs the user's authorization, and the user did not want to give it`,
  );
}

export function failed({ id, target, failure }: Flow): Refusal {
  const { reason = 'for no known reason', advice = '' } = failure ?? {};
  return refusal(
    'credentials.authorization_failed',
    `the user's authorization for ${target.id} failed: ${reason} (reference ${id}). ${advice === '' ? 'Make the call again to try once more.' : advice}`,
    { details: { authorization_id: id, code: failure?.code ?? 'failed', advice } },
  );
}

export function noOAuth(sourceId: string): Refusal {
  return refusal(
    'resource.conflict',
    `${sourceId} does not ask for OAuth: no authorization server of it can be found, or it has an authorization header of its own`,
    { field: 'id' },
  );
}
