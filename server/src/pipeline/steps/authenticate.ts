import { type Caller, type Gateway, type Refusal, refusal } from '#domain';
import { err, type Result } from '#foundation';
import type { Identity } from '#identity';
import type { Presented } from '../contract.ts';

/** Who is calling, as whom, and whether this door is open to them. */
export function authenticate(
  presented: Presented,
  gateway: Gateway | null,
  identity: Identity,
): Result<Caller, Refusal> {
  const principal = identity.authenticate(presented.authorization);
  if (!principal.ok) return principal;
  if (presented.userRequired && presented.userId === null) {
    return err(
      refusal('identity.user_missing', 'name the user you act for in the header Arcade-User-ID', {
        field: 'Arcade-User-ID',
      }),
    );
  }
  const caller = identity.actAs(principal.value, presented.userId);
  if (!caller.ok || gateway === null) return caller;
  // Last, so that a gateway which is closed to the caller is refused exactly where one that does not exist is.
  const closed = closedTo(principal.value.gateways, principal.value.projectId, gateway);
  return closed === null ? caller : err(closed);
}

function closedTo(allowed: ReadonlySet<string> | null, projectId: string, gateway: Gateway): Refusal | null {
  const unknown = `there is no gateway ${gateway.slug}`;
  if (gateway.projectId !== projectId) {
    return refusal('gateway.unknown', unknown, { reason: 'the API key belongs to another project' });
  }
  if (allowed !== null && !allowed.has(gateway.slug)) {
    return refusal('gateway.unknown', unknown, { reason: 'the API key is restricted to other gateways' });
  }
  if (gateway.status !== 'active')
    return refusal('gateway.inactive', unknown, { reason: 'the gateway is inactive' });
  if (!gateway.authTypes.includes('arcade_header')) {
    return refusal(
      'gateway.auth_unavailable',
      `gateway ${gateway.slug} takes no API keys, and this server cannot sign users in by ${gateway.authTypes.join(' or ')}`,
      { field: 'auth_type' },
    );
  }
  return null;
}
